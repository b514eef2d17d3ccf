// store_archive: values become one message.
#pragma once

#include <wharf/archive/byte_writer.hpp>
#include <wharf/archive/class_info.hpp>
#include <wharf/archive/enums.hpp>
#include <wharf/limits.hpp>
#include <wharf/message_file.hpp>

#include <boost/mpl/bool.hpp>
#include <boost/serialization/collection_size_type.hpp>
#include <boost/serialization/item_version_type.hpp>
#include <boost/serialization/library_version_type.hpp>

namespace wharf {

namespace detail {
/// What a store needs rarely: the file, versions that are not 0, classes of high slots.
struct store_state;

/// A place in a message to which a store that fails goes back.
struct store_mark {
    std::size_t bytes = 0;
    std::uint64_t seen = 0;
    std::size_t versions = 0;
    std::size_t far_classes = 0;
};
/// The parts of a mark that the state holds.
[[gnu::cold, gnu::noinline]] void mark_state(const store_state& state, store_mark& mark) noexcept;
/// The first visit of a class: its version enters the table where there is one or it begins one.
[[gnu::cold, gnu::noinline]] store_state*
note_version(store_state* state, std::uint64_t seen_before, std::uint32_t version);
/// A visit of a class whose slot is not near.
[[gnu::cold, gnu::noinline]] store_state* note_far_class(store_state* state, std::uint64_t seen,
                                                         unsigned slot, std::uint32_t version);
} // namespace detail

/// Stores values, in order, as messages. One flush() is one message; proto/README.md has its bytes.
/// Whatever has a Boost serialize() can be stored; what cannot travel does not compile.
///
/// Errors: errc::depth_limit and errc::bad_value for values that no archive would load, what the
/// file throws, and what a type's own serialize() throws. A value that fails leaves the message as
/// it was before. The buffer or file must outlive the archive; over a buffer, nothing else may use
/// it until flush(). Distinct objects: safe. Shared objects: unsafe.
class store_archive : private detail::byte_writer {
public:
    using is_saving = boost::mpl::true_;
    using is_loading = boost::mpl::false_;

    /// Appends messages at the end of `out`. What was not flushed is dropped by the destructor.
    explicit store_archive(byte_buffer& out, const limits& limit = {}) noexcept
        : byte_writer(out), depth_(limit.depth_max)
    {
        if (out.end() != out.limit()) [[likely]] {
            at_ = out.end();
            limit_ = out.limit();
            *at_++ = std::byte{0};
        }
    }
    /// Sends messages through `file`; sends nothing yet.
    explicit store_archive(message_file& file, const limits& limit = {});
    store_archive(const store_archive&) = delete;
    store_archive& operator=(const store_archive&) = delete;
    /// Over a file: flushes where the scope is left in order, swallowing errors, and discards where
    /// it is left by an exception.
    ~store_archive()
    {
        if (state_ != nullptr && !nested_) [[unlikely]]
            close();
    }

    /// Stores one value.
    template <class T>
    [[gnu::always_inline]] inline store_archive& operator<<(const T& value)
    {
        if (nested_)
            put(value);
        else
            put_outermost(value);
        return *this;
    }
    template <class T>
    [[gnu::always_inline]] inline store_archive& operator&(const T& value)
    {
        return *this << value;
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
    /// Drops what was stored since the last flush.
    void discard() noexcept;

    // What serialize() functions written for Boost's archives ask for.
    boost::serialization::library_version_type get_library_version() const noexcept
    {
        return boost::serialization::library_version_type(19);
    }
    void save_binary(const void* bytes, std::size_t n) { put_bytes(bytes, n); }
    template <class T>
    void register_type(const T* = nullptr)
    {
        static_assert(sizeof(T) == 0,
                      "wharf: pointers to base classes cannot travel yet, so there is "
                      "nothing to register");
    }

private:
    struct nested {};
    store_archive(nested, const store_archive& outer) noexcept
        : byte_writer(outer),
          state_(outer.state_),
          seen_(outer.seen_),
          depth_(outer.depth_),
          nested_(true)
    {}

    store_archive(nested, detail::store_state* state, const limits& limit) noexcept;

    template <class T>
    void put_outermost(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put_element(const T& value);
    template <class T>
    [[gnu::always_inline]] inline void put_run(const T* first, std::size_t n);
    template <class T>
    [[gnu::always_inline]] inline void put_class(const T& value);
    template <class T>
    [[gnu::always_inline]] inline unsigned note_class();
    template <class Bits>
    void put_bits(const Bits& bits);
    template <class Enum>
    [[gnu::always_inline]] inline void put_enum(Enum value);

    std::size_t stored_bytes() const noexcept
    {
        return at_ == nullptr ? 0 : static_cast<std::size_t>(at_ - out_->end());
    }
    bool is_stored() const noexcept { return at_ != nullptr && at_ != out_->end() + 1; }
    void reset() noexcept
    {
        at_ = limit_ = nullptr;
        seen_ = 0;
    }
    /// After a failure: back to where the message was.
    void rewind(const detail::store_mark& mark, detail::store_state* state) noexcept;
    void flush_state();
    void close() noexcept;

    detail::store_state* state_ = nullptr;
    std::uint64_t seen_ = 0; ///< classes met in this message, by slot
    std::uint32_t depth_;
    bool nested_ = false; ///< inside of a value that is being stored
};

} // namespace wharf
