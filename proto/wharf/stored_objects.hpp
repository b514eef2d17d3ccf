// Records in the store by their C++ types: the store learns what they look like as they are
// written.
#pragma once

#include <wharf/error.hpp>
#include <wharf/objects.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wharf::objects {

/// A record that was read and the revision that wrote it, which make_cas() expects.
template <class T>
struct stored {
    T record;
    std::uint64_t revision = 0;
};

namespace detail {

/// Fingerprints that were found to be those of older versions of one type. Any thread.
class known_types {
public:
    bool has(std::uint64_t fingerprint) const;
    void add(std::uint64_t fingerprint);

private:
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> fingerprints_;
};

template <class T>
known_types& known_versions()
{
    static known_types known;
    return known;
}

inline bool is_undefined(const error& e, std::uint64_t fingerprint) noexcept
{
    return e.code() == errc::not_found && fingerprint != 0;
}

/// Does only the schema tell whether the object can be read as a T?
template <class T>
bool needs_schema(const object& found)
{
    return !has_type<T>(found.fingerprint) && !known_versions<T>().has(found.fingerprint);
}

template <class T>
stored<T> read_with(const object& found, const schema& type)
{
    stored<T> result{value_as<T>(found, type), found.revision};
    known_versions<T>().add(found.fingerprint);
    return result;
}

template <class T>
stored<T> read_known(const object& found)
{
    return {from_bytes<T>(std::span<const std::byte>(found.value)), found.revision};
}

} // namespace detail

/// Sends make_put() or make_cas() of a T; one call, but for the first record of a type that a store
/// ever gets, whose schema is defined first. `by`: a client or a session_handle. `what` must live
/// until it completes. Errors: those of the command, of define and of a call.
template <class T, class Caller, class Change>
boost::asio::awaitable<written> async_write(Caller& by, const Change& what)
{
    try {
        co_return co_await by.async_call(what);
    }
    catch (const error& e) {
        if (!detail::is_undefined(e, what.fingerprint))
            throw;
    }
    const define first{schema_of<T>()};
    co_await by.async_call(first);
    co_return co_await by.async_call(what);
}

/// The same for a blocking_client.
template <class T, class Client, class Change>
written write(Client& by, const Change& what)
{
    try {
        return by.call(what);
    }
    catch (const error& e) {
        if (!detail::is_undefined(e, what.fingerprint))
            throw;
    }
    by.call(define{schema_of<T>()});
    return by.call(what);
}

/// Gets a record, which may have been stored as an older version of T: one call, and another for
/// each type of stored objects that is new to this program. Errors: those of get, of a call and of
/// value_as() with a schema, before anything of another type is loaded.
template <class T, class Caller>
boost::asio::awaitable<stored<T>> async_read(Caller& by, std::string key)
{
    const get ask{std::move(key)};
    const object found = co_await by.async_call(ask);
    if (!detail::needs_schema<T>(found))
        co_return detail::read_known<T>(found);
    const find_schema look{found.fingerprint};
    const schema type = co_await by.async_call(look);
    co_return detail::read_with<T>(found, type);
}

/// The same for a blocking_client.
template <class T, class Client>
stored<T> read(Client& by, std::string key)
{
    const object found = by.call(get{std::move(key)});
    if (!detail::needs_schema<T>(found))
        return detail::read_known<T>(found);
    return detail::read_with<T>(found, by.call(find_schema{found.fingerprint}));
}

} // namespace wharf::objects
