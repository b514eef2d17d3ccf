// The built-in service of durable objects: checks arguments, then one transaction or read a call.
#include "objects.hpp"

#include <wharf/objects.hpp>

#include <algorithm>
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
