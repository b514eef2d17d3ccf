// The errors of the archives, and the path of fields that an exception passed.
#include <wharf/archive_error.hpp>

#include <wharf/archive/field_path.hpp>
#include <wharf/archive/wire.hpp>

#include <algorithm>
#include <charconv>
#include <cxxabi.h>
#include <exception>
#include <new>
#include <typeinfo>
#include <utility>

namespace wharf {

using exception_code = boost::archive::archive_exception::exception_code;

exception_code to_archive_code(errc code) noexcept
{
    using codes = boost::archive::archive_exception;
    switch (code) {
    case errc::truncated: return codes::input_stream_error;
    case errc::bad_length: return codes::array_size_too_short;
    case errc::bad_prelude: return codes::invalid_signature;
    case errc::bad_class:
    case errc::unregistered_class: return codes::unregistered_class;
    case errc::newer_version: return codes::unsupported_class_version;
    case errc::pointer_conflict: return codes::pointer_conflict;
    default: return codes::other_exception;
    }
}

namespace {

/// What a type's own serialize() says may come from the peer, and goes to the peer.
constexpr std::size_t why_bytes_max = 120;

std::string make_text(std::size_t offset, const std::string& path, const std::string& why)
{
    std::string text;
    if (offset != archive_error::no_offset)
        text = "at byte " + std::to_string(offset);
    if (!path.empty())
        text.append(text.empty() ? "in " : ", in ").append(path);
    if (!why.empty())
        text.append(text.empty() ? "" : ": ").append(why);
    return text;
}

} // namespace

archive_error::archive_error(errc code, std::size_t offset, std::string path, std::string why,
                             std::chrono::milliseconds retry_after)
    : boost::archive::archive_exception(to_archive_code(code)),
      error(code, make_text(offset, path, why), retry_after),
      offset_(offset),
      path_(std::move(path)),
      why_(std::move(why)),
      has_path_(!path_.empty())
{}

void archive_error::set_path(std::string path)
{
    if (has_path_)
        return; // It is the error of another archive, which this one's serialize() used.
    has_path_ = true;
    if (path.empty())
        return;
    path_ = std::move(path);
    static_cast<error&>(*this) = error(code(), make_text(offset_, path_, why_), retry_after());
}

namespace detail {
namespace {

/// The path grows to the front: the innermost field is the first that an exception passes.
struct path_recorder {
    static constexpr std::size_t bytes_max = 160;
    char text[bytes_max] = {};
    std::size_t begin = bytes_max;
    const std::byte* at = nullptr;
    bool is_cut = false;

    void clear() noexcept
    {
        begin = bytes_max;
        at = nullptr;
        is_cut = false;
    }
    void put(std::string_view part) noexcept
    {
        is_cut = is_cut || part.size() > begin;
        if (is_cut)
            return;
        begin -= part.size();
        std::copy(part.begin(), part.end(), text + begin);
    }
    void start(const std::byte* where) noexcept
    {
        if (at != where) {
            if (at != nullptr)
                clear();
            at = where;
        }
    }
    std::string take()
    {
        std::string_view path(text + begin, bytes_max - begin);
        if (path.starts_with('.'))
            path.remove_prefix(1);
        const bool was_cut = is_cut;
        clear();
        return std::string(was_cut ? "..." : "").append(path);
    }
};

constinit thread_local path_recorder recorder;

/// A part of a path as it is built: bounded, and printable whatever the peer sends.
struct part_text {
    char text[48];
    std::size_t size = 0;
    void put(char c) noexcept
    {
        if (size < sizeof text)
            text[size++] = c;
    }
    void put(std::string_view plain) noexcept
    {
        for (const char c : plain)
            put(c);
    }
    void put_escaped(std::string_view peers) noexcept
    {
        constexpr std::size_t shown_max = 32;
        constexpr char digits[] = "0123456789abcdef";
        const std::size_t begun = size;
        for (const char c : peers) {
            const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
            if (size - begun + (is_plain ? 1 : 4) > shown_max)
                return put("...");
            if (is_plain)
                put(c);
            else {
                const auto byte = static_cast<unsigned char>(c);
                put("\\x");
                put(digits[byte >> 4]);
                put(digits[byte & 15]);
            }
        }
    }
    void put_number(std::uint64_t number) noexcept
    {
        const auto end = std::to_chars(text + size, text + sizeof text, number).ptr;
        size = static_cast<std::size_t>(end - text);
    }
    void note(const std::byte* at) const noexcept
    {
        recorder.start(at);
        recorder.put({text, size});
    }
};

} // namespace

void note_name(const char* name, const std::byte* at) noexcept
{
    part_text part;
    part.put('.');
    part.put_escaped(name);
    part.note(at);
}

void note_member(std::uint32_t place, const std::byte* at) noexcept
{
    part_text part;
    part.put("._");
    part.put_number(place);
    part.note(at);
}

void note_index(std::size_t index, const std::byte* at) noexcept
{
    part_text part;
    part.put('[');
    part.put_number(index);
    part.put(']');
    part.note(at);
}

void note_key(std::string_view key, const std::byte* at) noexcept
{
    part_text part;
    part.put("[\"");
    part.put_escaped(key);
    part.put("\"]");
    part.note(at);
}

void note_number(std::uint64_t magnitude, bool is_negative, const std::byte* at) noexcept
{
    part_text part;
    part.put(is_negative ? "[-" : "[");
    part.put_number(magnitude);
    part.put(']');
    part.note(at);
}

void fail_at(errc code, std::size_t offset)
{
    recorder.clear();
    throw archive_error(code, offset);
}

void fail_at(errc code, std::size_t offset, const char* why)
{
    recorder.clear();
    throw archive_error(code, offset, {}, why);
}

void rethrow_at(std::size_t offset)
{
    std::string path = recorder.take();
    std::chrono::milliseconds retry_after{};
    errc code = errc::refused_by_type;
    std::string why;
    try {
        throw;
    }
    catch (archive_error& e) {
        e.set_path(std::move(path));
        throw;
    }
    catch (const error& e) {
        if (typeid(e) != typeid(error))
            throw;
        code = e.code();
        why = e.text();
        retry_after = e.retry_after();
    }
    catch (const abi::__forced_unwind&) {
        throw;
    }
    catch (const std::bad_alloc&) {
        code = errc::memory_limit;
        why = "no memory";
    }
    catch (const std::exception& e) {
        why.assign(e.what(), ::strnlen(e.what(), why_bytes_max));
    }
    catch (...) {
    }
    throw archive_error(code, offset, std::move(path), std::move(why), retry_after);
}

void rethrow_stored()
{
    std::string path = recorder.take();
    try {
        throw;
    }
    catch (archive_error& e) {
        e.set_path(std::move(path));
        throw;
    }
}

} // namespace detail
} // namespace wharf
