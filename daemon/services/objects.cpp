// The built-in service of durable objects: checks arguments, then one transaction or read a call.
#include "objects.hpp"

#include <wharf/objects.hpp>
#include <wharf/store_watch.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace wharf {
namespace {

using objects::written;

bool is_control(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

// `what` is the argument's name: a prefix may be empty, a key may not.
void check_text(std::string_view text, const char* what)
{
    if (text.size() > objects::key_bytes_max)
        throw error(errc::bad_argument,
                    std::string(what) + " has " + std::to_string(text.size()) + " bytes, at most " +
                        std::to_string(objects::key_bytes_max) + " are allowed");
    const auto control = std::find_if(text.begin(), text.end(), is_control);
    if (control != text.end())
        throw error(errc::bad_argument, std::string(what) + " has a control character at byte " +
                                            std::to_string(control - text.begin()));
}

void check_key(std::string_view key)
{
    if (key.empty())
        throw error(errc::bad_argument, "key is empty");
    check_text(key, "key");
}

void check_value(std::size_t size, std::size_t max)
{
    if (size > max)
        throw error(errc::bad_argument, "value has " + std::to_string(size) + " bytes, at most " +
                                            std::to_string(max) + " are allowed");
}

void check_revision(const std::optional<objects::entry>& present, std::uint64_t expected)
{
    const std::uint64_t revision = present ? present->revision : 0;
    if (revision == expected)
        return;
    throw error(errc::conflict, "present revision " + std::to_string(revision) +
                                    (present ? "" : " (no object)") + ", expected " +
                                    std::to_string(expected));
}

// The fingerprint of a schema that may be kept.
std::uint64_t check_schema(const schema& type, std::size_t bytes)
{
    if (bytes > objects::schema_bytes_max)
        throw error(errc::bad_argument, "type has " + std::to_string(bytes) + " bytes, at most " +
                                            std::to_string(objects::schema_bytes_max) +
                                            " are allowed");
    if (!type.is_valid())
        throw error(errc::bad_argument, "type is no schema");
    if (!type.is_walkable())
        throw error(errc::bad_argument, "type is opaque: " + type.opaque_reason());
    return type.fingerprint();
}

// A store that was restored from a copy counts its revisions anew from there: what a watcher knows
// of later ones is of another history.
awaitable<void> check_not_after_the_end(store& of, std::uint64_t after)
{
    auto look = [](const snapshot& s) { return s.revision(); };
    const std::uint64_t revision = co_await of.async_read(look);
    if (after > revision)
        throw error(errc::compacted, "the store is at revision " + std::to_string(revision) +
                                         ", before " + std::to_string(after) +
                                         ": it was restored from a copy; list again");
}

objects::changes select(const objects::changes& from, std::string_view prefix)
{
    objects::changes some{from.revision, {}};
    for (const objects::change& each : from.list)
        if (each.key.starts_with(prefix))
            some.list.push_back(each);
    return some;
}

// Values of objects that have not changed again.
awaitable<void> add_values(store& of, objects::changes& to, std::uint64_t bytes_max)
{
    auto look = [&](const snapshot& s) {
        for (objects::change& each : to.list) {
            if (each.kind != objects::change_kind::put || each.size > bytes_max)
                continue;
            auto found = s.get(each.key);
            if (found && found->revision == to.revision)
                each.value = std::move(found->value);
        }
    };
    co_await of.async_read(look);
}

awaitable<void> send_changes(store& of, const objects::watch& what, sink<objects::changes>& out)
{
    const std::chrono::milliseconds heartbeat = of.options().watch_heartbeat;
    if (what.after)
        co_await check_not_after_the_end(of, *what.after);
    store_watch from(of, what.after);
    const objects::changes begin{from.revision(), {}};
    co_await out.async_send(begin);
    auto silent_until = std::chrono::steady_clock::now() + heartbeat;
    for (;;) {
        const auto next = co_await from.async_next(silent_until);
        objects::changes item{from.revision(), {}};
        if (next)
            item = select(*next, what.prefix);
        if (item.list.empty() && std::chrono::steady_clock::now() < silent_until)
            continue;
        if (!item.list.empty() && what.value_bytes_max != 0)
            co_await add_values(of, item, what.value_bytes_max);
        co_await out.async_send(item);
        silent_until = std::chrono::steady_clock::now() + heartbeat;
    }
}

[[noreturn]] void throw_not_found(const std::string& key)
{
    throw error(errc::not_found, "no object " + key);
}

} // namespace

objects_service::objects_service(store& where, std::size_t message_bytes_max)
    : store_(&where),
      value_bytes_max_(message_bytes_max - std::min(message_bytes_max, message_overhead_bytes))
{}

void objects_service::serve(router& commands)
{
    // The handlers live in the router; their coroutines use the captures only while it lives.
    store* const to = store_;
    const std::size_t value_max = value_bytes_max_;

    commands.on<objects::put>([to, value_max](objects::put c) -> awaitable<written> {
        check_key(c.key);
        check_value(c.value.size(), value_max);
        auto change = [&c](transaction& t) {
            return written{t.put(c.key, c.value, c.fingerprint)};
        };
        co_return co_await to->async_transact(change);
    });

    commands.on<objects::cas>([to, value_max](objects::cas c) -> awaitable<written> {
        check_key(c.key);
        check_value(c.value.size(), value_max);
        auto change = [&c](transaction& t) {
            check_revision(t.find(c.key), c.expected);
            return written{t.put(c.key, c.value, c.fingerprint)};
        };
        co_return co_await to->async_transact(change);
    });

    commands.on<objects::erase>([to](objects::erase c) -> awaitable<written> {
        check_key(c.key);
        auto change = [&c](transaction& t) {
            const auto present = t.find(c.key);
            if (!present)
                throw_not_found(c.key);
            if (c.expected)
                check_revision(present, *c.expected);
            return written{t.erase(c.key).value()};
        };
        co_return co_await to->async_transact(change);
    });

    commands.on<objects::define>([to](objects::define c) -> awaitable<std::uint64_t> {
        const std::vector<std::byte> bytes = to_bytes(c.type);
        const std::uint64_t fingerprint = check_schema(c.type, bytes.size());
        auto change = [&](transaction& t) { t.define(fingerprint, bytes); };
        co_await to->async_transact(change);
        co_return fingerprint;
    });

    commands.on<objects::find_schema>([to](objects::find_schema c) -> awaitable<schema> {
        auto look = [&c](const snapshot& s) { return s.find_schema(c.fingerprint); };
        const auto found = co_await to->async_read(look);
        if (!found)
            throw error(errc::not_found, "no schema has the fingerprint " +
                                             objects::fingerprint_text(c.fingerprint));
        co_return from_bytes<schema>(std::span<const std::byte>(*found));
    });

    commands.on<objects::get>([to](objects::get c) -> awaitable<objects::object> {
        check_key(c.key);
        auto look = [&c](const snapshot& s) {
            auto found = s.get(c.key);
            if (!found)
                throw_not_found(c.key);
            return std::move(*found);
        };
        co_return co_await to->async_read(look);
    });

    commands.on<objects::watch>([to](objects::watch c,
                                     sink<objects::changes>& out) -> awaitable<void> {
        check_text(c.prefix, "prefix");
        if (c.value_bytes_max > objects::watch_value_bytes_max)
            throw error(errc::bad_argument,
                        "value_bytes_max is " + std::to_string(c.value_bytes_max) + ", at most " +
                            std::to_string(objects::watch_value_bytes_max) + " are allowed");
        co_await send_changes(*to, c, out);
    });

    commands.on<objects::list>([to](objects::list c) -> awaitable<objects::page> {
        check_text(c.prefix, "prefix");
        check_text(c.after, "after");
        if (c.limit == 0 || c.limit > objects::page_entries_max)
            throw error(errc::bad_argument, "limit is " + std::to_string(c.limit) + ", 1 to " +
                                                std::to_string(objects::page_entries_max) +
                                                " are allowed");
        auto look = [&c](const snapshot& s) {
            object_query query;
            query.prefix = c.prefix;
            query.after = c.after;
            query.entries_max = c.limit;
            return s.list(query);
        };
        co_return co_await to->async_read(look);
    });
}

} // namespace wharf
