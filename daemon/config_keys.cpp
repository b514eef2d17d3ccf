// The table of keys: a name, a range and a place in the configuration each.
#include "config_keys.hpp"

#include <wharf/command.hpp>
#include <wharf/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace wharf::config {

namespace {

std::string out_of_range(const value& v)
{
    return show(v) + " is out of range";
}
std::string wrong(const value& v)
{
    return show(v) + " does not fit";
}

template <class T, class Place>
key<T> number(std::string name, Place place, std::uint64_t min, std::uint64_t max)
{
    return {std::move(name), "a number from " + std::to_string(min) + " to " + std::to_string(max),
            [=](T& into, const value& v) -> std::string {
                const auto* n = std::get_if<std::int64_t>(&v);
                if (!n)
                    return wrong(v);
                if (*n < 0 || static_cast<std::uint64_t>(*n) < min ||
                    static_cast<std::uint64_t>(*n) > max)
                    return out_of_range(v);
                auto& at = place(into);
                at = static_cast<std::remove_reference_t<decltype(at)>>(*n);
                return {};
            },
            [=](const T& from) { return std::to_string(place(from)); }};
}

template <class T, class Place>
key<T> size(std::string name, Place place, std::uint64_t min, std::uint64_t max)
{
    return {std::move(name),
            "a size from " + format_size(min) + " to " + format_size(max) +
                ", such as \"64KiB\" or a number of bytes",
            [=](T& into, const value& v) -> std::string {
                std::optional<std::uint64_t> bytes;
                if (const auto* n = std::get_if<std::int64_t>(&v)) {
                    if (*n < 0)
                        return out_of_range(v);
                    bytes = static_cast<std::uint64_t>(*n);
                }
                else if (const auto* text = std::get_if<std::string>(&v)) {
                    bytes = parse_size(*text);
                }
                if (!bytes)
                    return wrong(v);
                if (*bytes < min || *bytes > max)
                    return out_of_range(v);
                auto& at = place(into);
                at = static_cast<std::remove_reference_t<decltype(at)>>(*bytes);
                return {};
            },
            [=](const T& from) { return quote(format_size(place(from))); }};
}

template <class T, class Place>
key<T> duration(std::string name, Place place, std::chrono::milliseconds min,
                std::chrono::milliseconds max)
{
    return {std::move(name),
            "a duration from " + format_duration(min) + " to " + format_duration(max) +
                ", such as \"500ms\", \"10s\" or \"2min\"",
            [=](T& into, const value& v) -> std::string {
                const auto* text = std::get_if<std::string>(&v);
                const auto* n = std::get_if<std::int64_t>(&v);
                // A number without a unit says too little, but for 0.
                const auto ms = text           ? parse_duration(*text)
                                : n && *n == 0 ? std::optional(std::chrono::milliseconds(0))
                                               : std::nullopt;
                if (!ms)
                    return wrong(v);
                if (*ms < min || *ms > max)
                    return out_of_range(v);
                using target = std::remove_reference_t<decltype(place(into))>;
                place(into) = std::chrono::duration_cast<target>(*ms);
                return place(into) == *ms ? "" : show(v) + " is not whole seconds";
            },
            [=](const T& from) { return quote(format_duration(place(from))); }};
}

template <class T, class Place>
key<T> boolean(std::string name, Place place)
{
    return {std::move(name), "true or false",
            [=](T& into, const value& v) -> std::string {
                const auto* b = std::get_if<bool>(&v);
                if (!b)
                    return wrong(v);
                place(into) = *b;
                return {};
            },
            [=](const T& from) { return std::string(place(from) ? "true" : "false"); }};
}

template <class T, class Place>
key<T> text(std::string name, std::string expected, Place place, bool (*fits)(const std::string&))
{
    return {std::move(name), std::move(expected),
            [=](T& into, const value& v) -> std::string {
                const auto* s = std::get_if<std::string>(&v);
                if (!s || s->find('\0') != std::string::npos || !fits(*s))
                    return wrong(v);
                place(into) = *s;
                return {};
            },
            [=](const T& from) { return quote(place(from)); }};
}

template <class T, class Enum, class Place, std::size_t N>
key<T> choice(std::string name, Place place,
              const std::array<std::pair<std::string_view, Enum>, N>& of)
{
    std::string expected = "one of";
    for (const auto& [word, unused] : of)
        expected.append(expected.back() == 'f' ? " \"" : ", \"").append(word).append("\"");
    return {std::move(name), std::move(expected),
            [=](T& into, const value& v) -> std::string {
                const auto* s = std::get_if<std::string>(&v);
                for (const auto& [word, meaning] : of) {
                    if (s && *s == word) {
                        place(into) = meaning;
                        return {};
                    }
                }
                return wrong(v);
            },
            [=](const T& from) {
                for (const auto& [word, meaning] : of) {
                    if (place(from) == meaning)
                        return quote(word);
                }
                return std::string();
            }};
}

constexpr std::array<std::pair<std::string_view, log::format>, 4> formats{{
    {"automatic", log::format::automatic},
    {"plain", log::format::plain},
    {"prefixed", log::format::prefixed},
    {"journal", log::format::journal},
}};

constexpr std::uint64_t kib = 1u << 10, mib = 1u << 20, gib = 1u << 30;

bool fits_name(const std::string& s)
{
    const auto prints = [](char c) { return c > 0x20 && c < 0x7f; };
    return !s.empty() && s.size() <= 100 && s != "*" && std::all_of(s.begin(), s.end(), prints);
}
bool fits_method(const std::string& s)
{
    return s == "unix" || s == "anonymous";
}
bool any_text(const std::string&)
{
    return true;
}
bool some_text(const std::string& s)
{
    return !s.empty();
}
bool absolute_path(const std::string& s)
{
    return s.starts_with('/') && s.size() < 4096;
}

std::vector<key<configuration>> make_keys()
{
    using root = configuration;
    using namespace std::chrono_literals;
    constexpr auto none = 0ms;
    constexpr auto day = std::chrono::milliseconds(24h);
    std::vector<key<root>> all;
    const auto add = [&](key<root> k) { all.push_back(std::move(k)); };
    add(text<root>(
        "state_directory", "an absolute path", [](auto& c) -> auto& { return c.store.directory; },
        absolute_path));
    add(number<root>(
        "server.threads", [](auto& c) -> auto& { return c.server.threads; }, 0, 1024));
    add(number<root>(
        "server.blocking_threads", [](auto& c) -> auto& { return c.server.blocking_threads; }, 1,
        1024));
    add(duration<root>(
        "server.drain_timeout", [](auto& c) -> auto& { return c.server.drain_timeout; }, none, 1h));
    add(size<root>(
        "server.freed_memory_bytes", [](auto& c) -> auto& { return c.freed_memory_bytes; }, 0,
        4 * gib));
    add(number<root>(
        "limits.sessions_max", [](auto& c) -> auto& { return c.server.sessions_max; }, 1, 1000000));
    add(number<root>(
        "limits.calls_in_flight_max",
        [](auto& c) -> auto& { return c.server.conversation.calls_in_flight_max; }, 1, 1000000));
    add(number<root>(
        "limits.peer_calls_max", [](auto& c) -> auto& { return c.server.peer_calls_max; }, 1,
        1000000));
    add(number<root>(
        "limits.blocking_queue_max", [](auto& c) -> auto& { return c.server.blocking_queue_max; },
        0, 10000000));
    add(number<root>(
        "limits.commands_max", [](auto& c) -> auto& { return c.server.conversation.commands_max; },
        1, 65535));
    add(size<root>(
        "limits.frame_bytes_max",
        [](auto& c) -> auto& { return c.server.conversation.frame_bytes_max; }, 1 * kib, 16 * mib));
    // One bound for both: what is not decoded is not buffered either.
    key<root> message = size<root>(
        "limits.message_bytes_max",
        [](auto& c) -> auto& { return c.server.decode.message_bytes_max; }, 1 * kib, 1 * gib);
    message.set = [set = message.set](root& into, const value& v) {
        std::string problem = set(into, v);
        into.server.conversation.message_bytes_max = into.server.decode.message_bytes_max;
        return problem;
    };
    add(std::move(message));
    add(size<root>(
        "limits.reassembly_bytes_max",
        [](auto& c) -> auto& { return c.server.conversation.reassembly_bytes_max; }, 1 * kib,
        16 * gib));
    add(size<root>(
        "limits.stream_window_bytes",
        [](auto& c) -> auto& { return c.server.conversation.stream_window_bytes; }, 1 * kib,
        1 * gib));
    add(size<root>(
        "limits.session_window_bytes",
        [](auto& c) -> auto& { return c.server.conversation.session_window_bytes; }, 1 * kib,
        4 * gib));
    add(size<root>(
        "limits.session_memory_bytes_max",
        [](auto& c) -> auto& { return c.server.session_memory_bytes_max; }, 64 * kib, 64 * gib));
    add(size<root>(
        "limits.calls_memory_bytes_max",
        [](auto& c) -> auto& { return c.server.calls_memory_bytes_max; }, 64 * kib, 64 * gib));
    add(size<root>(
        "limits.send_queue_bytes_max",
        [](auto& c) -> auto& { return c.server.send_queue_bytes_max; }, 64 * kib, 4 * gib));
    add(duration<root>(
        "limits.send_timeout", [](auto& c) -> auto& { return c.server.send_timeout; }, 100ms, day));
    add(duration<root>(
        "limits.idle_timeout", [](auto& c) -> auto& { return c.server.idle_timeout; }, none, day));
    add(size<root>(
        "limits.handshake_bytes_max",
        [](auto& c) -> auto& { return c.server.conversation.handshake_bytes_max; }, 64, 1 * mib));
    add(duration<root>(
        "limits.handshake_timeout",
        [](auto& c) -> auto& { return c.server.conversation.handshake_timeout; }, 10ms, 1h));
    add(duration<root>(
        "limits.frame_timeout",
        [](auto& c) -> auto& { return c.server.conversation.frame_timeout; }, none, 1h));
    add(number<root>(
        "limits.depth_max", [](auto& c) -> auto& { return c.server.decode.depth_max; }, 1, 1000));
    add(number<root>(
        "limits.objects_max", [](auto& c) -> auto& { return c.server.decode.objects_max; }, 1,
        1 << 30));
    add(number<root>(
        "limits.chain_max", [](auto& c) -> auto& { return c.server.decode.chain_max; }, 1, 100000));
    add(size<root>(
        "limits.memory_base_bytes",
        [](auto& c) -> auto& { return c.server.decode.memory_base_bytes; }, 1 * kib, 1 * gib));
    add(number<root>(
        "limits.memory_factor", [](auto& c) -> auto& { return c.server.decode.memory_factor; }, 1,
        100000));
    add(size<root>(
        "limits.memory_bytes_max",
        [](auto& c) -> auto& { return c.server.decode.memory_bytes_max; }, 64 * kib, 64 * gib));
    add(boolean<root>(
        "tcp.no_delay", [](auto& c) -> auto& { return c.tcp.no_delay; }));
    add(duration<root>(
        "tcp.keepalive_idle", [](auto& c) -> auto& { return c.tcp.keepalive_idle; }, none, 9h));
    add(duration<root>(
        "tcp.keepalive_interval", [](auto& c) -> auto& { return c.tcp.keepalive_interval; }, 1s,
        9h));
    add(number<root>(
        "tcp.keepalive_probes", [](auto& c) -> auto& { return c.tcp.keepalive_probes; }, 1, 127));
    add(duration<root>(
        "tcp.user_timeout", [](auto& c) -> auto& { return c.tcp.user_timeout; }, none, day));
    add(size<root>(
        "tcp.notsent_lowat_bytes", [](auto& c) -> auto& { return c.tcp.notsent_lowat_bytes; }, 0,
        1 * gib));
    add(size<root>(
        "tcp.send_buffer_bytes", [](auto& c) -> auto& { return c.tcp.send_buffer_bytes; }, 0,
        1 * gib));
    add(size<root>(
        "tcp.receive_buffer_bytes", [](auto& c) -> auto& { return c.tcp.receive_buffer_bytes; }, 0,
        1 * gib));
    add({"log.level",
         "one of \"critical\", \"error\", \"warning\", \"notice\", \"info\", \"debug\", and those "
         "of "
         "channels, as in \"info,session=debug\"",
         [](root& into, const value& v) -> std::string {
             const auto* words = std::get_if<std::string>(&v);
             const auto meant = words ? log::levels_of(*words, log::level::info) : std::nullopt;
             if (!meant)
                 return wrong(v);
             into.log.threshold = *meant;
             return {};
         },
         [](const root& from) { return quote(to_text(from.log.threshold)); }});
    add(choice<root>(
        "log.format", [](auto& c) -> auto& { return c.log.how; }, formats));
    add(number<root>(
        "log.queue_records_max", [](auto& c) -> auto& { return c.log.queue_records_max; }, 16,
        10000000));
    add(number<root>(
        "store.readers", [](auto& c) -> auto& { return c.store.readers; }, 1, 64));
    add(duration<root>(
        "store.busy_timeout", [](auto& c) -> auto& { return c.store.busy_timeout; }, none, 10min));
    add(size<root>(
        "store.cache_bytes", [](auto& c) -> auto& { return c.store.cache_bytes; }, 64 * kib,
        64 * gib));
    add(size<root>(
        "store.wal_bytes", [](auto& c) -> auto& { return c.store.wal_bytes; }, 64 * kib, 64 * gib));
    add(size<root>(
        "store.check_bytes_max", [](auto& c) -> auto& { return c.store.check_bytes_max; }, 0,
        1024 * gib));
    add(size<root>(
        "store.database_bytes_max", [](auto& c) -> auto& { return c.store.database_bytes_max; }, 0,
        8192 * gib));
    add(number<root>(
        "store.schemas_max", [](auto& c) -> auto& { return c.store.schemas_max; }, 1, 10000000));
    add(number<root>(
        "store.group_max", [](auto& c) -> auto& { return c.store.group_max; }, 1, 100000));
    add(number<root>(
        "store.write_queue_max", [](auto& c) -> auto& { return c.store.write_queue_max; }, 1,
        10000000));
    add(number<root>(
        "store.read_queue_max", [](auto& c) -> auto& { return c.store.read_queue_max; }, 1,
        10000000));
    add(number<root>(
        "store.watch_backlog_max", [](auto& c) -> auto& { return c.store.watch_backlog_max; }, 1,
        10000000));
    add(number<root>(
        "store.watches_max", [](auto& c) -> auto& { return c.store.watches_max; }, 1, 1000000));
    add(duration<root>(
        "store.watch_heartbeat", [](auto& c) -> auto& { return c.store.watch_heartbeat; }, 10ms,
        day));
    return all;
}

key<listener_options> make_endpoint_key()
{
    return {"endpoint",
            "\"host:port\", \"1.2.3.4:port\", \"[v6]:port\", \"unix:/path\", \"unix:@name\" or "
            "\"fd:N\"",
            [](listener_options& into, const value& v) -> std::string {
                const auto* text = std::get_if<std::string>(&v);
                if (!text)
                    return wrong(v);
                try {
                    into.where = parse_endpoint(*text);
                }
                catch (const error& e) {
                    return e.text().empty() ? std::string(e.what()) : e.text();
                }
                return {};
            },
            [](const listener_options& from) { return quote(to_string(from.where)); }};
}

/// Octal, as chmod has it: "0660", or TOML's own 0o660.
key<listener_options> make_mode_key()
{
    return {"mode", "permissions such as \"0660\"",
            [](listener_options& into, const value& v) -> std::string {
                std::uint32_t mode = 0;
                if (const auto* text = std::get_if<std::string>(&v)) {
                    const char* end = text->data() + text->size();
                    const auto [last, failed] = std::from_chars(text->data(), end, mode, 8);
                    if (failed != std::errc{} || last != end)
                        return wrong(v);
                }
                else if (const auto* n = std::get_if<std::int64_t>(&v);
                         n && *n >= 0 && *n <= 0777) {
                    mode = static_cast<std::uint32_t>(*n);
                }
                else {
                    return wrong(v);
                }
                if (mode > 0777)
                    return out_of_range(v);
                into.unix_mode = mode;
                return {};
            },
            [](const listener_options& from) {
                char text[16];
                std::snprintf(text, sizeof text, "\"0%o\"", from.unix_mode);
                return std::string(text);
            }};
}

bool fits_pattern(const std::string& s)
{
    const auto star = s.find('*');
    return !s.empty() && s.size() <= command_name_bytes_max &&
           (star == std::string::npos ||
            (star + 1 == s.size() && (s.size() == 1 || s[star - 1] == '.')));
}

key<role_options> make_commands_key()
{
    return {"commands", "a list of command names, \"prefix.*\" or \"*\"",
            [](role_options& into, const value& v) -> std::string {
                const auto* list = std::get_if<std::vector<std::string>>(&v);
                if (!list)
                    return wrong(v);
                for (const std::string& name : *list) {
                    if (!fits_pattern(name))
                        return show(name) + " is no command name";
                }
                into.commands = *list;
                return {};
            },
            [](const role_options& from) {
                std::string out = "[";
                for (const std::string& name : from.commands)
                    out.append(out.size() == 1 ? "" : ", ").append(quote(name));
                return out + "]";
            }};
}

} // namespace

const std::vector<key<configuration>>& keys()
{
    static const std::vector<key<configuration>> all = make_keys();
    return all;
}

const std::vector<key<listener_options>>& listen_keys()
{
    using l = listener_options;
    static const std::vector<key<l>> all{
        make_endpoint_key(),
        text<l>(
            "name", "a name of 1 to 100 printable characters",
            [](auto& c) -> auto& { return c.name; }, fits_name),
        number<l>(
            "backlog", [](auto& c) -> auto& { return c.backlog; }, 0, 1000000),
        boolean<l>(
            "ipv6_only", [](auto& c) -> auto& { return c.ipv6_only; }),
        make_mode_key(),
        text<l>(
            "group", "the name of a group", [](auto& c) -> auto& { return c.unix_group; },
            any_text),
        boolean<l>(
            "json", [](auto& c) -> auto& { return c.json; }),
    };
    return all;
}

const std::vector<key<allow_rule>>& allow_keys()
{
    using a = allow_rule;
    static const std::vector<key<a>> all{
        text<a>(
            "listener", "the name of a listener, or \"*\"",
            [](auto& c) -> auto& { return c.listener; }, some_text),
        text<a>(
            "method", "\"unix\" or \"anonymous\"", [](auto& c) -> auto& { return c.method; },
            fits_method),
        text<a>(
            "subject",
            "who: for \"unix\" uid:N, user:NAME, gid:N, group:NAME, self or *; for \"anonymous\" "
            "an address, address/bits or *",
            [](auto& c) -> auto& { return c.subject; }, some_text),
        text<a>(
            "role", "the name of a role", [](auto& c) -> auto& { return c.role; }, some_text),
    };
    return all;
}

const std::vector<key<role_options>>& role_keys()
{
    using r = role_options;
    static const std::vector<key<r>> all{
        text<r>(
            "name", "a name of 1 to 100 printable characters",
            [](auto& c) -> auto& { return c.name; }, fits_name),
        make_commands_key(),
    };
    return all;
}

} // namespace wharf::config
