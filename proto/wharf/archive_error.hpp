// What a load or store of the archives throws: the code, and where in the message and in which
// field.
#pragma once

#include <wharf/error.hpp>

#include <boost/archive/archive_exception.hpp>

#include <cstddef>

namespace wharf {

namespace detail {
[[noreturn]] void rethrow_at(std::size_t offset);
[[noreturn]] void rethrow_stored();
} // namespace detail

/// The code of Boost's archives that says most nearly the same; other_exception where none does.
boost::archive::archive_exception::exception_code to_archive_code(errc code) noexcept;

/// An error of load_archive or store_archive. Programs written for Boost's archives catch it as a
/// boost::archive::archive_exception, whose `code` member is to_archive_code(code()).
/// A value, as error: distinct objects are safe in different threads.
class archive_error : public error, public virtual boost::archive::archive_exception {
public:
    /// The offset where none is known.
    static constexpr std::size_t no_offset = static_cast<std::size_t>(-1);

    /// `why` says what the sentence of the code does not. Text and what() are made of all four.
    explicit archive_error(errc code, std::size_t offset = no_offset, std::string path = {},
                           std::string why = {}, std::chrono::milliseconds retry_after = {});

    using error::code;
    /// The byte of the message, from 0, at which the archive stopped; of the message so far where
    /// it was being stored.
    std::size_t offset() const noexcept { return offset_; }
    /// The field, from the outermost value inwards, as in "order.items[3].price": the names of
    /// NVPs and aggregates, or "_2" for the third member of a class; indexes of elements; the keys
    /// of a map's values where they are text or numbers. Empty where the value itself failed.
    /// At most 163 bytes, of which the outer ones give way to "..."; text of the peer is escaped.
    const std::string& path() const noexcept { return path_; }
    /// "sentence: at byte 17, in order.items[3].price: why", without the parts that are not known.
    const char* what() const noexcept override { return error::what(); }

private:
    friend void detail::rethrow_at(std::size_t offset);
    friend void detail::rethrow_stored();
    /// The path is known only when the exception has passed all fields.
    void set_path(std::string path);

    std::size_t offset_;
    std::string path_;
    std::string why_;
    bool has_path_;
};

} // namespace wharf
