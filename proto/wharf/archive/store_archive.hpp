// store_archive: values become one message.
#pragma once

#include <wharf/archive/archive_services.hpp>
#include <wharf/archive/byte_writer.hpp>
#include <wharf/archive/enums.hpp>
#include <wharf/archive/field_path.hpp>
#include <wharf/archive/store_state.hpp>
#include <wharf/archive/type_shape.hpp>
#include <wharf/limits.hpp>

#include <boost/mpl/bool.hpp>
#include <boost/serialization/collection_size_type.hpp>
#include <boost/serialization/item_version_type.hpp>

namespace wharf {

namespace detail {
template <class T>
struct class_visits;
class recording;
/// The parts of a mark that the state holds.
[[gnu::cold, gnu::noinline]] void mark_state(const store_state& state, store_mark& mark) noexcept;
/// What an archive knows of the classes that it met.
struct classes_met {
    store_state* state;
    std::uint64_t seen;
};
/// A visit of a class that has no bit, or the first one where there is a table of versions or this
/// begins one.
[[gnu::cold, gnu::noinline]] classes_met note_class(classes_met met, class_cell& cell,
                                                    std::uint32_t version);
/// Throws errc::pointer_conflict where the object, which was visited by value, is a pointee too.
[[gnu::cold, gnu::noinline]] void check_conflict(const store_state& state, const class_cell& of,
                                                 const void* object, const std::type_info& type,
                                                 std::size_t offset);
} // namespace detail

/// Stores values, in order, as messages. One flush() is one message; proto/README.md has its bytes.
/// Whatever has a Boost serialize() can be stored; what cannot travel does not compile.
///
/// Objects behind pointers must live, and stay as they are, until flush(): one is written where it
/// is met first, and by its number from then on.
///
/// Errors: archive_error with errc::depth_limit, bad_value, ownership_cycle, unregistered_class,
/// pointer_conflict or bad_utf8 for values that no archive would load, what the file throws, and
/// what a type's own serialize() throws. A value that fails leaves the message as it was before.
/// The buffer or file must outlive the archive; over a buffer, nothing else may use it until
/// flush(). Distinct objects: safe. Shared objects: unsafe.
class store_archive : private detail::byte_writer, public detail::archive_services<store_archive> {
public:
    using is_saving = boost::mpl::true_;
    using is_loading = boost::mpl::false_;

    /// Appends messages at the end of `out`. What was not flushed is dropped by the destructor.
    explicit store_archive(byte_buffer& out, const limits& limit = {}) noexcept
        : byte_writer(out), depth_(limit.depth_max), self_(nullptr)
    {
        if (out.end() != out.limit()) [[likely]] {
            at_ = out.end();
            limit_ = out.limit();
            *at_++ = std::byte{0};
        }
        // Last: a byte written through a pointer may be part of whatever escaped before.
        self_ = this;
    }
    /// Sends messages through `file`; sends nothing yet.
    explicit store_archive(message_file& file, const limits& limit = {});
    store_archive(const store_archive&) = delete;
    store_archive& operator=(const store_archive&) = delete;
    /// Over a file: flushes where the scope is left in order, swallowing errors, and discards where
    /// it is left by an exception.
    ~store_archive()
    {
        if (self_ != nullptr && state_ != nullptr) [[unlikely]]
            self_->close();
    }

    /// Stores one value.
    template <class T>
    [[gnu::always_inline]] inline store_archive& operator<<(const T& value)
    {
        // Through self_: a nested archive, whose own address nothing takes, stays in registers.
        if (self_ == nullptr)
            return *this & value;
        self_->put_outermost(value);
        return *this;
    }
    template <class T>
    [[gnu::always_inline]] inline store_archive& operator&(const T& value)
    {
        // What serialize() functions use: out of line, once for each type, where it is outermost.
        if (self_ != nullptr) [[unlikely]] {
            if constexpr (detail::is_nvp<T>)
                self_->put_outermost_by(shape_of(value.const_value()),
                                        std::addressof(value.const_value()), value.name());
            else
                self_->put_outermost_by(shape_of(value), std::addressof(value), nullptr);
            return *this;
        }
        const std::uint32_t place = place_++;
        if constexpr (detail::is_nvp<T>)
            put(value);
        else {
            // What a serialize() does not name, counts.
            detail::member_guard in{at_, place};
            put(value);
            in.is_done = true;
        }
        return *this;
    }

    /// Completes the message: over a buffer, appends it; over a file, sends it. Does nothing where
    /// nothing was stored since the last flush. The next value begins the next message.
    void flush()
    {
        if (state_ != nullptr) [[unlikely]]
            flush_state();
        else if (is_stored()) {
            out_->set_end(at_);
            reset();
        }
    }
    /// Stores classes at older versions, in all messages from the next on. `versions` must outlive
    /// the archive, or the next call of this.
    void store_at(const older_versions& versions);
    /// Drops what was stored since the last flush.
    void discard() noexcept;

    // What serialize() functions written for Boost's archives ask for.
    void save_binary(const void* bytes, std::size_t n)
    {
        if (self_ != nullptr) [[unlikely]]
            self_->put_outermost_bytes(bytes, n);
        else
            put_bytes(bytes, n);
    }

private:
    friend detail::archive_services<store_archive>;
    template <class T>
    friend struct detail::class_functions;
    template <class T>
    friend struct detail::class_visits;
    friend class detail::recording;

    struct nested {};
    store_archive(nested, const store_archive& outer) noexcept
        : byte_writer(outer),
          state_(outer.state_),
          seen_(outer.seen_),
          depth_(outer.depth_),
          self_(nullptr)
    {}
    /// What a nested archive changed, also where an exception ends it.
    struct write_back {
        store_archive& outer;
        const store_archive& inner;
        [[gnu::always_inline]] inline ~write_back()
        {
            outer.at_ = inner.at_;
            outer.limit_ = inner.limit_;
            outer.state_ = inner.state_;
            outer.seen_ = inner.seen_;
        }
    };

    store_archive(nested, detail::store_state* state, const limits& limit) noexcept;

    template <class T>
    static const detail::type_shape& shape_of(const T&) noexcept
    {
        return detail::shape_holder<T>::value;
    }
    template <class T>
    void put_outermost(const T& value);
    /// A value of a type that only its shape knows; the name may be null.
    void put_outermost_by(const detail::type_shape& shape, const void* value, const char* name);
    void put_outermost_bytes(const void* bytes, std::size_t n);
    template <bool IsPointee = false, bool IsOutermost = false, class T>
    [[gnu::always_inline]] inline void put(const T& value);
    template <bool IsOutermost = false, class T>
    [[gnu::always_inline]] inline void put_element(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put_built(const T& value);
    template <class Container, class Element>
    [[gnu::always_inline]] inline void put_item(const Element& each);
    template <class Container>
    [[gnu::always_inline]] inline void put_elements(const Container& all);
    template <class Container>
    void put_branches(const Container& all);
    template <class Container>
    [[gnu::always_inline]] inline void put_each(const Container& all);
    /// A message is begun where a value is stored. False: the value was recorded instead.
    bool begin_message(const detail::type_shape& shape, const void* value, const char* name);
    bool record(const detail::type_shape& shape, const void* value, const char* name);
    /// For what took no byte since the archive was at `begun`. Where the buffer moved meanwhile,
    /// its place differs.
    [[gnu::always_inline]] inline void put_pad(const std::byte* begun)
    {
        if (at_ == begun) [[unlikely]]
            put_number(std::uint8_t{0});
    }
    template <class T>
    [[gnu::always_inline]] inline void put_run(const T* first, std::size_t n);
    template <bool IsOutermost = false, class T>
    [[gnu::always_inline]] inline void put_class(const T& value);
    template <class T>
    void put_body(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put_members(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put_older(const T& value, unsigned version);
    template <class T>
    void put_tracked(const T& value);
    template <class T>
    void put_pointer(const T& value);
    template <class T>
    bool put_object(const T* object, detail::ownership kind, bool is_weak);
    void put_reference(std::uint32_t number, detail::ownership kind, bool is_weak);
    void put_class_name(const detail::class_entry& entry, const std::type_info& pointer_type);
    template <class T>
    [[gnu::always_inline]] inline void put_construct_data(const T* object);
    detail::store_state& make_state();
    template <class T>
    [[gnu::always_inline]] inline unsigned note_class();
    template <class Bits>
    void put_bits(const Bits& bits);
    template <class T>
    void put_borrowed(const T& value);
    template <class Variant>
    void put_boost_variant(const Variant& value);
    template <class Container>
    void put_multi_index(const Container& value);
    template <class Enum>
    [[gnu::always_inline]] inline void put_enum(Enum value);

    [[gnu::always_inline]] inline std::size_t stored_bytes() const noexcept
    {
        return at_ == nullptr ? 0 : static_cast<std::size_t>(at_ - out_->end());
    }
    [[gnu::always_inline]] inline bool is_stored() const noexcept
    {
        return at_ != nullptr && at_ != out_->end() + 1;
    }
    void reset() noexcept
    {
        at_ = limit_ = nullptr;
        seen_ = 0;
    }
    /// After a failure: back to where the message was.
    void rewind(std::size_t bytes, const detail::store_mark& mark,
                detail::store_state* state) noexcept;
    void flush_state();
    void close() noexcept;

    detail::store_state* state_ = nullptr;
    std::uint64_t seen_ = 0; ///< classes met in this message, by slot
    std::uint32_t depth_;
    std::uint32_t place_ = 0;    ///< members visited in the innermost class
    store_archive* self_ = this; ///< null: inside of a value that is being stored
};

} // namespace wharf
