// The subcommands of wharfctl.
#include "ctl_commands.hpp"

#include "ctl_json.hpp"
#include "ctl_text.hpp"

#include <wharf/json.hpp>
#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>

namespace wharf::ctl {

namespace {

/// As much as a message may hold: more is refused before it is read.
constexpr std::size_t value_bytes_max = 16u << 20;

struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using file_ptr = std::unique_ptr<std::FILE, closer>;

std::string reason()
{
    return std::strerror(errno);
}

std::vector<std::byte> read_all(std::FILE* from, const std::string& name)
{
    std::vector<std::byte> value;
    for (;;) {
        const std::size_t have = value.size();
        value.resize(have + (64u << 10));
        const std::size_t n = std::fread(value.data() + have, 1, value.size() - have, from);
        value.resize(have + n);
        if (std::ferror(from))
            throw local_error{"cannot read " + name + ": " + reason()};
        if (value.size() > value_bytes_max)
            throw local_error{name + " holds more than 16 MiB, which no message may"};
        if (n == 0)
            return value;
    }
}

void write_all(std::FILE* to, const void* bytes, std::size_t n, const std::string& name)
{
    if ((n != 0 && std::fwrite(bytes, 1, n, to) != n) || std::fflush(to) != 0)
        throw local_error{"cannot write " + name + ": " + reason()};
}

} // namespace

void print(const std::string& text)
{
    write_all(stdout, text.data(), text.size(), "standard output");
}

bool on_terminal()
{
    return ::isatty(STDOUT_FILENO) != 0;
}

exit_code exit_code_of(errc code) noexcept
{
    switch (code) {
    case errc::not_found: return exit_code::not_found;
    case errc::bad_endpoint: return exit_code::usage;
    case errc::conflict: return exit_code::conflict;
    case errc::permission_denied:
    case errc::access_denied: return exit_code::denied;
    case errc::connection_refused:
    case errc::connection_closed:
    case errc::connection_reset:
    case errc::host_not_found:
    case errc::unreachable:
    case errc::io_error:
    case errc::not_connected:
    case errc::deadline_exceeded:
    case errc::handshake_timeout:
    case errc::outcome_unknown:
    case errc::going_away: return exit_code::unreachable;
    default: return exit_code::failed;
    }
}

std::string explain(const error& e, std::string_view endpoint)
{
    const std::string where = escape(endpoint);
    switch (e.code()) {
    case errc::connection_refused:
        return "no daemon at " + where +
               " (connection refused): is wharfd running? Try `systemctl status wharfd`, or give "
               "--endpoint";
    case errc::unreachable:
    case errc::host_not_found:
        return "cannot reach " + where + " (" + std::string(to_sentence(e.code())) +
               "): check --endpoint or WHARF_ENDPOINT";
    case errc::access_denied:
        return "the system denies you " + where +
               ": become a member of the socket's group (wharf), or use sudo";
    case errc::permission_denied:
        return escape(e.what()) + ": ask for an [[allow]] line or a role in wharfd.conf";
    case errc::deadline_exceeded:
        return escape(e.what()) + ": give more time by --timeout, or look at the daemon's log";
    case errc::outcome_unknown: return escape(e.what()) + ": look before you repeat it";
    case errc::bad_endpoint: return escape(e.what());
    case errc::unknown_command:
        return escape(e.what()) + ": `wharfctl list` shows what the daemon serves";
    case errc::conflict: return escape(e.what()) + ": get it again and repeat the change";
    default: return escape(e.what());
    }
}

std::vector<std::byte> read_value(const value_source& from)
{
    if (from.text) {
        const auto* bytes = reinterpret_cast<const std::byte*>(from.text->data());
        return {bytes, bytes + from.text->size()};
    }
    if (from.file.empty() || from.file == "-")
        return read_all(stdin, "standard input");
    const file_ptr file(std::fopen(from.file.c_str(), "rbe"));
    if (!file)
        throw local_error{"cannot open " + from.file + ": " + reason()};
    return read_all(file.get(), from.file);
}

std::string read_text(const std::string& file)
{
    const std::vector<std::byte> bytes = read_value({std::nullopt, file});
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_value(const std::vector<std::byte>& value, const std::string& file)
{
    if (!file.empty() && file != "-") {
        const file_ptr to(std::fopen(file.c_str(), "wbe"));
        if (!to)
            throw local_error{"cannot open " + file + ": " + reason()};
        write_all(to.get(), value.data(), value.size(), file);
        return;
    }
    if (!on_terminal()) {
        write_all(stdout, value.data(), value.size(), "standard output");
        return;
    }
    if (!is_plain_text(value)) {
        print(hex_dump(value));
        return;
    }
    std::string text(reinterpret_cast<const char*>(value.data()), value.size());
    if (!text.ends_with('\n'))
        text += '\n';
    print(text);
}

namespace {

/// The object's value as JSON, by the schema that the daemon keeps.
std::string json_of(blocking_client& client, const objects::object& from, const std::string& key)
{
    const schema type = client.call(objects::find_schema{from.fingerprint});
    try {
        return to_json(type, from.value);
    }
    catch (const error& e) {
        throw local_error{key + " cannot be shown as JSON (" + e.what() +
                          "): `wharfctl get --raw` writes its bytes"};
    }
}

} // namespace

void show_object(blocking_client& client, const get_arguments& what)
{
    const objects::object found = client.call(objects::get{what.key});
    const bool to_file = !what.file.empty() && what.file != "-";
    if (what.as_json && found.fingerprint == 0)
        throw local_error{what.key + " was stored without a type: leave --json out"};
    const bool as_json =
        what.as_json || (found.fingerprint != 0 && !what.raw && !to_file && on_terminal());
    if (!as_json) {
        write_value(found.value, what.file);
        return;
    }
    const std::string text = json_of(client, found, what.key);
    if (!to_file) {
        print_json(text, what.as_json);
        return;
    }
    const std::string line = json_line(text) + "\n";
    const auto* bytes = reinterpret_cast<const std::byte*>(line.data());
    write_value({bytes, bytes + line.size()}, what.file);
}

void show_ping(blocking_client& client, std::string_view endpoint)
{
    const std::uint64_t token = std::random_device{}();
    const auto before = std::chrono::steady_clock::now();
    const std::uint64_t answer = client.call(system::ping{token});
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - before;
    if (answer != token)
        throw error(errc::bad_value, "the daemon answered another ping");
    char text[64];
    std::snprintf(text, sizeof text, " answered in %.3f ms\n", took.count());
    print(escape(endpoint) + text);
}

void show_status(blocking_client& client)
{
    const system::status_reply status = client.call(system::status{});
    std::vector<std::vector<std::string>> rows{{"NAME", "VALUE"}};
    const auto add = [&](const std::string& name, const std::string& value) {
        rows.push_back({escape(name), escape(value)});
    };
    add("software", status.software);
    add("pid", std::to_string(status.pid));
    add("uptime_ms", std::to_string(status.uptime_ms));
    for (const auto& each : status.endpoints)
        add("endpoint." + each.name, each.endpoint);
    for (const auto& each : status.counters)
        add(each.name, std::to_string(each.value));
    for (const auto& each : status.limits)
        add("limit." + each.name, std::to_string(each.value));
    for (const auto& each : status.store)
        add("store." + each.name, each.value);
    print(table(rows, on_terminal()));
}

void show_commands(blocking_client& client)
{
    std::string text;
    for (const std::string& name : client.call(system::list{}))
        text += escape(name) + '\n';
    print(text);
}

void show_limits(blocking_client& client)
{
    const system::status_reply status = client.call(system::status{});
    std::vector<std::vector<std::string>> rows{{"LIMIT", "TAKEN", "VALUE"}};
    for (const auto& each : status.limits) {
        const auto level = std::find_if(status.levels.begin(), status.levels.end(),
                                        [&](const auto& l) { return l.name == each.name; });
        rows.push_back({escape(each.name),
                        level == status.levels.end() ? "-" : std::to_string(level->value),
                        std::to_string(each.value)});
    }
    print(table(rows, on_terminal(), {1, 2}));
}

void show_sessions(blocking_client& client, std::uint64_t limit)
{
    const std::vector<std::string> heading{"ID",      "PEER",     "NAME",      "ROLE",
                                           "SINCE",   "CALLS",    "IN_FLIGHT", "PEER_CALLS",
                                           "STREAMS", "RECEIVED", "SENT"};
    std::uint64_t shown = 0;
    system::sessions ask{0, system::sessions_page_max};
    for (bool more = true; more && (limit == 0 || shown < limit);) {
        if (limit != 0)
            ask.limit = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(limit - shown, system::sessions_page_max));
        const system::sessions_reply page = client.call(ask);
        std::vector<std::vector<std::string>> rows{heading};
        for (const system::session_fact& s : page.sessions)
            rows.push_back({std::to_string(s.id), escape(s.peer), escape(s.name), escape(s.role),
                            utc_time(s.since_ms), std::to_string(s.calls),
                            std::to_string(s.in_flight), std::to_string(s.peer_calls),
                            std::to_string(s.streams), std::to_string(s.bytes_in),
                            std::to_string(s.bytes_out)});
        if (rows.size() > 1)
            print(table(rows, on_terminal(), {0, 5, 6, 7, 8, 9, 10}));
        shown += page.sessions.size();
        more = page.sessions.size() == ask.limit;
        if (!page.sessions.empty())
            ask.after = page.sessions.back().id;
        if (!more && page.unanswered != 0)
            std::fprintf(
                stderr, "wharfctl: %ju sessions are on threads of the daemon that did not answer\n",
                std::uintmax_t{page.unanswered});
    }
}

void show_metrics(blocking_client& client)
{
    const std::string text = client.call(system::metrics{});
    print(text);
}

void show_objects(blocking_client& client, const std::string& prefix, std::uint64_t limit)
{
    const std::vector<std::string> heading{"KEY", "REVISION", "SIZE", "TYPE"};
    std::uint64_t shown = 0;
    objects::list ask{prefix, "", objects::page_entries_max};
    for (bool more = true; more && (limit == 0 || shown < limit);) {
        if (limit != 0)
            ask.limit = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(limit - shown, objects::page_entries_max));
        const objects::page page = client.call(ask);
        std::vector<std::vector<std::string>> rows{heading};
        for (const objects::entry& each : page.entries)
            rows.push_back(
                {escape(each.key), std::to_string(each.revision), std::to_string(each.size),
                 each.fingerprint == 0 ? "-" : objects::fingerprint_text(each.fingerprint)});
        if (rows.size() > 1)
            print(table(rows, on_terminal(), {1, 2}));
        shown += page.entries.size();
        more = page.more && !page.entries.empty();
        if (more)
            ask.after = page.entries.back().key;
    }
}

} // namespace wharf::ctl
