// load_archive: the bytes of a message become values.
#pragma once

#include <wharf/archive/byte_reader.hpp>
#include <wharf/archive/class_info.hpp>
#include <wharf/archive/enums.hpp>
#include <wharf/message_file.hpp>

#include <boost/mpl/bool.hpp>
#include <boost/serialization/collection_size_type.hpp>
#include <boost/serialization/item_version_type.hpp>
#include <boost/serialization/library_version_type.hpp>

#include <typeinfo>

namespace wharf {

namespace detail {
/// What a load needs rarely: the file, the table of versions.
struct load_state;
/// The version of the class of this slot; throws errc::newer_version and errc::not_canonical.
[[gnu::cold, gnu::noinline]] unsigned table_version(load_state& state, unsigned slot,
                                                    unsigned known, const std::type_info& type,
                                                    std::size_t offset);
} // namespace detail

/// Loads values, in the order in which they were stored. Any bytes are safe to load: what is
/// refused is refused by an error, and memory, depth and time are bounded by `limits`.
///
/// Errors: error with errc::truncated, bad_length, bad_varint, not_canonical, bad_bool, bad_enum,
/// bad_value, newer_version, memory_limit, depth_limit, message_limit, refused_by_type or
/// bad_prelude and a text that begins with the place, "at byte 17"; nothing else leaves a load,
/// but what the file throws. After an error the values named so far are valid but unspecified and
/// the rest of the message is lost: over a file, the next value comes from the next message.
/// The message or file must outlive the archive. Distinct objects: safe. Shared objects: unsafe.
class load_archive : private detail::byte_reader {
public:
    using is_saving = boost::mpl::false_;
    using is_loading = boost::mpl::true_;

    /// Loads from one message, of which nothing is read yet.
    explicit load_archive(std::span<const std::byte> message, const limits& limit = {}) noexcept
        : byte_reader(message, detail::memory_budget(limit, message.size())),
          depth_(limit.depth_max),
          phase_(message.size() <= limit.message_bytes_max ? phase::closed : phase::oversize)
    {}
    /// Loads from the messages of `file`. One is received where a value is asked for and none is
    /// open, or the open one is used up.
    explicit load_archive(message_file& file, const limits& limit = {});
    load_archive(const load_archive&) = delete;
    load_archive& operator=(const load_archive&) = delete;
    ~load_archive()
    {
        if (state_ != nullptr && phase_ != phase::nested) [[unlikely]]
            close();
    }

    /// Loads one value.
    template <class T>
    [[gnu::always_inline]] inline load_archive& operator>>(T&& value)
    {
        using value_type = std::remove_reference_t<T>;
        static_assert(!std::is_const_v<value_type> ||
                          detail::is_wrapper<std::remove_cv_t<value_type>>,
                      "wharf: a const value cannot be loaded into");
        auto& target = const_cast<std::remove_cv_t<value_type>&>(value);
        if (phase_ == phase::nested)
            get(target);
        else
            get_outermost(target);
        return *this;
    }
    template <class T>
    [[gnu::always_inline]] inline load_archive& operator&(T&& value)
    {
        return *this >> static_cast<T&&>(value);
    }

    /// The message ends here. Throws errc::trailing_data where bytes are left, errc::not_canonical
    /// where its table has versions of classes that it did not use, and errc::truncated where a
    /// load of it failed. Over a file, closes the message.
    void finish();

    /// No unread byte in the message and, over a file, no complete message that is buffered.
    bool is_buffer_empty() const;
    /// Bytes of the current message that were loaded, its prelude included.
    std::size_t bytes_consumed() const noexcept { return offset(); }
    /// What of its limits' memory the current message may still be charged.
    std::size_t memory_left() const noexcept { return budget(); }

    // What serialize() functions written for Boost's archives ask for.
    boost::serialization::library_version_type get_library_version() const noexcept
    {
        return boost::serialization::library_version_type(19);
    }
    void load_binary(void* bytes, std::size_t n) { get_bytes(bytes, n); }
    void reset_object_address(const void*, const void*) noexcept {}
    template <class T>
    void register_type(const T* = nullptr)
    {
        static_assert(sizeof(T) == 0,
                      "wharf: pointers to base classes cannot travel yet, so there is "
                      "nothing to register");
    }

private:
    enum class phase : std::uint8_t {
        closed,   ///< no message is open
        open,     ///< between two values of a message
        failed,   ///< a load of this message failed
        oversize, ///< the message is larger than its limit
        nested,   ///< inside of a value that is being loaded
    };
    struct nested {};
    load_archive(nested, const load_archive& outer) noexcept
        : byte_reader(outer),
          state_(outer.state_),
          depth_(outer.depth_),
          phase_(phase::nested),
          has_table_(outer.has_table_)
    {}

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
    void finish_versions() const;
    bool is_over_file() const noexcept;
    void close() noexcept;

    template <class T>
    void get_outermost(T& value);
    template <class T>
    [[gnu::always_inline]] inline void get(T& value);
    template <class T>
    [[gnu::always_inline]] inline void get_element(T& value);
    template <class T>
    [[gnu::always_inline]] inline void get_run(T* first, std::size_t n);
    template <class T>
    [[gnu::always_inline]] inline void get_class(T& value);
    template <class T>
    [[gnu::always_inline]] inline unsigned class_version();
    template <class Enum>
    [[gnu::always_inline]] inline void get_enum(Enum& value);
    template <class String>
    [[gnu::always_inline]] inline void get_string(String& value);
    std::string_view get_text();
    template <class Vector>
    void get_vector(Vector& value);
    template <class Vector>
    void get_bits(Vector& value);
    template <class List>
    void get_list(List& value);
    template <class Map>
    void get_map(Map& value);
    template <class Set>
    void get_set(Set& value);
    template <class Variant>
    void get_variant(Variant& value);
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
    phase phase_ = phase::closed;
    bool has_table_ = false; ///< else every class of this message is at version 0
};

} // namespace wharf
