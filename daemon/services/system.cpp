// Answers for the daemon: ping, status, list, sessions, metrics; and hands on what changes it.
#include "system.hpp"

#include <wharf/detail/command_types.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>

#include <unistd.h>

namespace wharf {

namespace {

system_controls::operator_name operator_of(const call& current)
{
    return {current.caller().name, current.session_id()};
}

/// What tells those who write a newer program whether it can talk to this one.
void add_history(system::description& to, const char* role, const detail::message_type* type)
{
    if (type == nullptr)
        return;
    const schema_history& history = detail::find_history(*type);
    if (!history.older.empty())
        to.histories.push_back({role, history});
}

std::string cpu_seconds()
{
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    char text[40];
    std::snprintf(text, sizeof text, "%jd.%06ld", std::intmax_t{spent.tv_sec},
                  spent.tv_nsec / 1000);
    return text;
}

/// Absent where /proc is not to be seen.
std::optional<std::uint64_t> resident_bytes()
{
    std::uint64_t pages = 0, resident = 0;
    std::ifstream file("/proc/self/statm");
    if (!(file >> pages >> resident))
        return {};
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

system_service::system_service(const server& serving, sources from)
    : serving_(&serving), from_(std::move(from))
{}

void system_service::serve(router& commands)
{
    // The server keeps this object in place from here on.
    commands.on<system::ping>([](const system::ping& c) { return c.token; });
    commands.on<system::status>([this](const system::status&) { return status(); });
    commands.on<system::list>(
        [](const system::list&, call& current) { return current.commands(); });
    commands.on<system::describe>([this](const system::describe& what, call& current) {
        return describe(what.command, current.commands());
    });
    commands.on<system::metrics>([this](const system::metrics&) { return metrics(); });
    commands.on<system::sessions>([this](system::sessions what) { return sessions(what); });
    serve_controls(commands);
}

void system_service::serve_controls(router& commands)
{
    const system_controls& may = from_.controls;
    if (may.log_level)
        commands.on<system::log_level>([&may](system::log_level what, call& current) {
            return may.log_level(std::move(what), operator_of(current));
        });
    if (may.reload)
        commands.on<system::reload>(
            [&may](system::reload, call& current) { return may.reload(operator_of(current)); });
    if (may.drain)
        commands.on<system::drain>([&may](system::drain what, call& current) {
            return may.drain(what, operator_of(current));
        });
}

std::uint64_t system_service::uptime_ms() const
{
    const auto since = std::chrono::steady_clock::now() - started_;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

system::status_reply system_service::status() const
{
    const server_status now = serving_->status();
    system::status_reply out;
    out.software = from_.software;
    out.pid = static_cast<std::uint64_t>(::getpid());
    out.uptime_ms = uptime_ms();
    std::uint64_t accepted = 0, exhausted = 0;
    for (const server_status::listener& l : now.listeners) {
        out.endpoints.push_back({l.name, to_string(l.where)});
        accepted += l.accepted;
        exhausted += l.exhausted;
    }
    out.counters = {
        {"threads", now.threads},
        {"sessions", now.sessions},
        {"sessions_total", now.sessions_total},
        {"connections_accepted", accepted},
        {"connections_refused", now.refused},
        {"descriptors_exhausted", exhausted},
        {"calls", now.calls},
        {"errors", now.errors},
        {"draining", now.draining ? 1u : 0u},
    };
    if (from_.counters) {
        for (auto& [name, number] : from_.counters())
            out.counters.push_back({std::move(name), number});
    }
    for (server_limit& l : serving_->limits()) {
        if (l.level)
            out.levels.push_back({l.name, *l.level});
        out.limits.push_back({std::move(l.name), l.value});
    }
    if (from_.store) {
        for (auto& [name, text] : from_.store())
            out.store.push_back({std::move(name), std::move(text)});
    }
    return out;
}

awaitable<system::sessions_reply> system_service::sessions(system::sessions what) const
{
    const std::uint32_t limit = std::min(what.limit, system::sessions_page_max);
    const sessions_report report = co_await serving_->sessions(limit, what.after);
    system::sessions_reply out{{}, report.total, report.unanswered};
    for (const session_status& s : report.sessions) {
        const auto since = s.since.time_since_epoch();
        out.sessions.push_back(
            {s.id, s.peer.address, s.caller.name, s.caller.role,
             std::chrono::duration_cast<std::chrono::milliseconds>(since).count(), s.calls,
             s.in_flight, s.peer_calls, s.streams, s.bytes_in, s.bytes_out});
    }
    co_return out;
}

std::string system_service::metrics() const
{
    std::string text = serving_->metrics();
    const auto add = [&](const std::string& name, const char* type, const char* help,
                         const std::string& value) {
        text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name +
                " " + value + "\n";
    };
    add("wharf_uptime_seconds", "gauge", "Since the start.", std::to_string(uptime_ms() / 1000));
    // By the names that Prometheus's own clients give these.
    add("process_cpu_seconds_total", "counter", "Of all threads.", cpu_seconds());
    if (const auto bytes = resident_bytes())
        add("process_resident_memory_bytes", "gauge", "What the process has in memory.",
            std::to_string(*bytes));
    if (from_.counters) {
        for (const auto& [name, number] : from_.counters())
            add("wharf_" + name + "_total", "counter", "As system.status has it.",
                std::to_string(number));
    }
    return text;
}

system::description system_service::describe(std::string_view command,
                                             const std::vector<std::string>& names) const
{
    const detail::command_entry* entry = serving_->find_command(command);
    if (entry == nullptr || !std::binary_search(names.begin(), names.end(), command))
        throw error(errc::permission_denied, std::string(command));
    const detail::command_schemas& types = detail::schemas_of(*entry->types);
    system::description made{entry->name, *types.argument, *types.reply, {}, {}, {}};
    if (types.items != nullptr)
        made.items.push_back(*types.items);
    if (types.upload != nullptr)
        made.upload.push_back(*types.upload);
    if (const detail::command_types* walked = entry->types) {
        add_history(made, "argument", walked->argument);
        add_history(made, "reply", walked->reply);
        add_history(made, "items", walked->items);
        add_history(made, "upload", walked->upload);
    }
    return made;
}

} // namespace wharf
