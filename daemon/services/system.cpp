// Answers for the daemon: ping, status, list, sessions, metrics.
#include "system.hpp"

#include <algorithm>

#include <unistd.h>

namespace wharf {

namespace {

/// "objects.*" covers "objects.put"; "*" covers all.
bool covers(std::string_view pattern, std::string_view command)
{
    if (pattern.ends_with('*'))
        return command.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == command;
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
        [this](const system::list&, call& current) { return list(current.caller().role); });
    commands.on<system::describe>([this](const system::describe& what, call& current) {
        return describe(what.command, current.caller().role);
    });
    commands.on<system::metrics>([this](const system::metrics&) { return metrics(); });
    commands.on<system::sessions>([this](system::sessions what) { return sessions(what); });
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
    if (from_.counters) {
        for (const auto& [name, number] : from_.counters())
            add("wharf_" + name + "_total", "counter", "As system.status has it.",
                std::to_string(number));
    }
    return text;
}

system::description system_service::describe(std::string_view command, std::string_view role) const
{
    const auto names = list(role);
    const detail::command_entry* entry = serving_->find_command(command);
    if (entry == nullptr || !std::binary_search(names.begin(), names.end(), command))
        throw error(errc::permission_denied, std::string(command));
    const detail::command_schemas& types = entry->schemas();
    system::description made{entry->name, *types.argument, *types.reply, {}, {}};
    if (types.items != nullptr)
        made.items.push_back(*types.items);
    if (types.upload != nullptr)
        made.upload.push_back(*types.upload);
    return made;
}

std::vector<std::string> system_service::list(std::string_view role) const
{
    std::vector<std::string> out;
    for (const role_options& r : serving_->options().roles) {
        if (r.name != role)
            continue;
        for (std::string& name : serving_->command_names()) {
            const auto fits = [&](const std::string& pattern) { return covers(pattern, name); };
            if (std::any_of(r.commands.begin(), r.commands.end(), fits))
                out.push_back(std::move(name));
        }
    }
    return out;
}

} // namespace wharf
