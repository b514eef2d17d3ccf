// load_archive: the bytes of a message become values.
#pragma once

#include <wharf/archive/archive_services.hpp>
#include <wharf/archive/byte_reader.hpp>
#include <wharf/archive/enums.hpp>
#include <wharf/archive/field_path.hpp>
#include <wharf/archive/load_state.hpp>

#include <boost/mpl/bool.hpp>
#include <boost/serialization/collection_size_type.hpp>
#include <boost/serialization/item_version_type.hpp>

#include <typeinfo>

namespace wharf {

namespace detail {
/// The version of the class of this cell; throws errc::newer_version and errc::not_canonical.
[[gnu::cold, gnu::noinline]] unsigned table_version(load_state& state, class_cell& cell,
                                                    unsigned known, const std::type_info& type,
                                                    std::size_t offset);
} // namespace detail

/// Loads values, in the order in which they were stored. Any bytes are safe to load: what is
/// refused is refused by an error, and memory, depth and time are bounded by `limits`.
///
/// What a value held before is replaced, and its memory is used again where it is not far too
/// large. Elements of sequences and the content of an optional are loaded in place, as by Boost's
/// archives: a member that serialize() does not visit keeps its old value in them. Elements are
/// constructed by the container's allocator.
///
/// Objects behind pointers are owned from the moment they exist: a load that fails leaks none, and
/// no smart pointer that it named holds one of which the body is not complete, but weak ones.
///
/// Errors: archive_error with one of the codes that proto/README.md lists ("What a load refuses")
/// and a text that begins with the place, "at byte 17, in order.items[3].price"; a wharf::error of
/// a type's own serialize() becomes an archive_error with the same code. Nothing else leaves a
/// load, but what the file throws. After an error the values named so far are valid but unspecified
/// and the rest of the message is lost: over a file, the next value comes from the next message.
/// The message or file must outlive the archive. Distinct objects: safe. Shared objects: unsafe.
class load_archive : private detail::byte_reader, public detail::archive_services<load_archive> {
public:
    using is_saving = boost::mpl::false_;
    using is_loading = boost::mpl::true_;

    /// Loads from one message, of which nothing is read yet.
    explicit load_archive(std::span<const std::byte> message, const limits& limit = {}) noexcept
        : byte_reader(message, detail::memory_budget(limit, message.size())),
          depth_(limit.depth_max),
          objects_max_(limit.objects_max),
          chain_max_(limit.chain_max),
          phase_(message.size() <= limit.message_bytes_max ? phase::closed : phase::oversize)
    {}
    /// Loads from the messages of `file`. One is received where a value is asked for and none is
    /// open, or the open one is used up.
    explicit load_archive(message_file& file, const limits& limit = {});
    load_archive(const load_archive&) = delete;
    load_archive& operator=(const load_archive&) = delete;
    ~load_archive()
    {
        if (self_ != nullptr && state_ != nullptr) [[unlikely]]
            self_->close();
    }

    /// Loads one value.
    template <class T>
    [[gnu::always_inline]] inline load_archive& operator>>(T&& value)
    {
        // Through self_: a nested archive, whose own address nothing takes, stays in registers.
        if (self_ == nullptr)
            return *this & static_cast<T&&>(value);
        self_->get_outermost(to_target<std::remove_reference_t<T>>(value));
        return *this;
    }
    template <class T>
    [[gnu::always_inline]] inline load_archive& operator&(T&& value)
    {
        using value_type = std::remove_cvref_t<T>;
        auto& target = to_target<std::remove_reference_t<T>>(value);
        // What serialize() functions use: out of line, once for each type, where it is outermost.
        if (self_ != nullptr) [[unlikely]] {
            self_->get_outermost_by(get_erased<value_type>, std::addressof(target));
            return *this;
        }
        const std::uint32_t place = place_++;
        if constexpr (detail::is_nvp<value_type>)
            get(target);
        else {
            // What a serialize() does not name, counts.
            detail::member_guard in{at_, place};
            get(target);
            in.is_done = true;
        }
        return *this;
    }

    /// The message ends here. Throws errc::trailing_data where bytes are left, errc::not_canonical
    /// where its table has versions of classes that it did not use, and errc::truncated where a
    /// load of it failed. Over a file, closes the message.
    void finish()
    {
        // Without a state there is neither a table nor a file nor an object.
        if (phase_ != phase::open || at_ != end_ || state_ != nullptr) [[unlikely]]
            finish_rare();
    }

    /// No unread byte in the message and, over a file, no complete message that is buffered.
    bool is_buffer_empty() const;
    /// Bytes of the current message that were loaded, its prelude included.
    std::size_t bytes_consumed() const noexcept { return offset(); }
    /// What of its limits' memory the current message may still be charged.
    std::size_t memory_left() const noexcept { return budget(); }

    // What serialize() functions written for Boost's archives ask for.
    void load_binary(void* bytes, std::size_t n) { get_bytes(bytes, n); }
    void reset_object_address(const void*, const void*) noexcept {}
    void delete_created_pointers() noexcept {}

private:
    friend detail::archive_services<load_archive>;
    template <class T>
    friend struct detail::class_functions;

    enum class phase : std::uint8_t {
        closed,   ///< no message is open
        open,     ///< between two values of a message
        failed,   ///< a load of this message failed
        oversize, ///< the message is larger than its limit
    };
    struct nested {};
    load_archive(nested, const load_archive& outer) noexcept
        : byte_reader(outer),
          state_(outer.state_),
          depth_(outer.depth_),
          objects_max_(outer.objects_max_),
          chain_max_(outer.chain_max_),
          phase_(phase::open),
          has_table_(outer.has_table_),
          self_(nullptr)
    {}
    /// What a nested archive changed, also where an exception ends it.
    struct write_back {
        load_archive& outer;
        const load_archive& inner;
        [[gnu::always_inline]] inline ~write_back()
        {
            outer.at_ = inner.at_;
            outer.budget_ = inner.budget_;
            outer.state_ = inner.state_;
        }
    };

    /// Opens the message, or the next one of the file, where that is needed for a value.
    [[gnu::always_inline]] inline void open_for_value()
    {
        if (phase_ == phase::closed && at_ != end_ && *at_ == std::byte{0}) [[likely]] {
            ++at_;
            phase_ = phase::open;
        }
        else if (phase_ != phase::open || (at_ == end_ && state_ != nullptr))
            open_rare();
    }
    void open_rare();
    void open_prelude();
    void drop_message() noexcept;
    void finish_rare();
    void finish_versions() const;
    bool is_over_file() const noexcept;
    void close() noexcept;

    template <class T>
    [[gnu::always_inline]] static inline std::remove_cv_t<T>& to_target(T& value)
    {
        static_assert(!std::is_const_v<T> || detail::is_wrapper<std::remove_cv_t<T>>,
                      "wharf: a const value cannot be loaded into");
        return const_cast<std::remove_cv_t<T>&>(value);
    }
    template <class T>
    void get_outermost(T& value);
    /// A value of a type that only `get_value` knows.
    void get_outermost_by(void (*get_value)(load_archive& inner, void* value), void* value);
    template <class T>
    [[gnu::cold]] static void get_erased(load_archive& inner, void* value)
    {
        inner.get_element(*static_cast<T*>(value));
    }
    [[noreturn]] void fail_outermost(detail::load_state* state, std::size_t offset);
    template <bool IsPointee = false, bool IsOutermost = false, class T>
    [[gnu::always_inline]] inline void get(T& value);
    template <bool IsOutermost = false, class T>
    [[gnu::always_inline]] inline void get_element(T& value);
    template <class T>
    [[gnu::always_inline]] inline void get_run(T* first, std::size_t n);
    template <class T>
    void get_body(T& value);
    template <class T>
    [[gnu::always_inline]] inline void get_members(T& value);
    template <class T>
    void get_tracked(T& value);
    template <class T, class Take>
    void get_built(Take take);
    template <class T, class Take>
    void get_built_element(Take take);
    template <class T>
    void get_pointer(T& value);
    template <class Pointer>
    std::uint32_t get_object();
    template <class T>
    T* get_unique();
    template <class T>
    T* get_base(std::uint32_t number);
    template <class T>
    const detail::class_entry& get_object_class();
    template <class T>
    [[gnu::always_inline]] inline void get_construct_data(T* object);
    detail::load_state& make_state();
    const detail::class_entry& get_class_entry(const detail::class_entry* own);
    void drop_objects() noexcept;
    void release_objects() noexcept;
    template <class T>
    [[gnu::always_inline]] inline unsigned class_version();
    template <class Enum>
    [[gnu::always_inline]] inline void get_enum(Enum& value);
    template <class String>
    [[gnu::always_inline]] inline void get_string(String& value);
    std::string_view get_text();
    template <class Vector>
    [[gnu::always_inline]] inline void add_text(Vector& value);
    template <class Container>
    void get_container(Container& value);
    template <class Vector>
    [[gnu::always_inline]] inline void get_vector(Vector& value);
    template <class Vector>
    void get_bits(Vector& value);
    template <class List>
    [[gnu::always_inline]] inline void get_list(List& value);
    template <class Map>
    [[gnu::always_inline]] inline void get_map(Map& value);
    template <class Set>
    [[gnu::always_inline]] inline void get_set(Set& value);
    template <class Variant>
    void get_variant(Variant& value);
    template <class T>
    void get_borrowed(T& value);
    template <class Bitset>
    void get_bitset(Bitset& value);
    template <class Type, class End, class Variant>
    void get_alternative(Variant& value, std::uint64_t index, unsigned place);
    template <class Container>
    void get_multi_index(Container& value);
    /// The pad of an element that takes no bytes.
    [[gnu::always_inline]] inline void get_pad(const std::byte* begun)
    {
        if (at_ == begun) [[unlikely]] {
            need(1);
            if (*at_ != std::byte{0})
                fail(errc::not_canonical);
            ++at_;
        }
    }

    detail::load_state* state_ = nullptr;
    std::uint32_t depth_ = 0;
    std::uint32_t objects_max_ = 0;
    std::uint32_t chain_max_ = 0;
    std::uint32_t place_ = 0; ///< members visited in the innermost class
    phase phase_ = phase::closed;
    bool has_table_ = false;    ///< else every class of this message is at version 0
    load_archive* self_ = this; ///< null: inside of a value that is being loaded
};

} // namespace wharf
