// Answers system.ping, system.status and system.list.
#include "system.hpp"

#include <algorithm>

#include <unistd.h>

namespace wharf {

namespace {

std::vector<system::number_fact> limits_of(const server_options& o)
{
    const auto ms = [](auto d) {
        return static_cast<std::uint64_t>(std::chrono::milliseconds(d).count());
    };
    return {
        {"sessions_max", o.sessions_max},
        {"calls_in_flight_max", o.conversation.calls_in_flight_max},
        {"commands_max", o.conversation.commands_max},
        {"frame_bytes_max", o.conversation.frame_bytes_max},
        {"message_bytes_max", o.conversation.message_bytes_max},
        {"reassembly_bytes_max", o.conversation.reassembly_bytes_max},
        {"session_memory_bytes_max", o.session_memory_bytes_max},
        {"calls_memory_bytes_max", o.calls_memory_bytes_max},
        {"send_queue_bytes_max", o.send_queue_bytes_max},
        {"send_timeout_ms", ms(o.send_timeout)},
        {"idle_timeout_ms", ms(o.idle_timeout)},
        {"drain_timeout_ms", ms(o.drain_timeout)},
        {"handshake_bytes_max", o.conversation.handshake_bytes_max},
        {"handshake_timeout_ms", ms(o.conversation.handshake_timeout)},
        {"frame_timeout_ms", ms(o.conversation.frame_timeout)},
        {"depth_max", o.decode.depth_max},
        {"objects_max", o.decode.objects_max},
        {"chain_max", o.decode.chain_max},
        {"memory_base_bytes", o.decode.memory_base_bytes},
        {"memory_factor", o.decode.memory_factor},
        {"memory_bytes_max", o.decode.memory_bytes_max},
    };
}

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
}

system::status_reply system_service::status() const
{
    const server_status now = serving_->status();
    system::status_reply out;
    out.software = from_.software;
    out.pid = static_cast<std::uint64_t>(::getpid());
    out.uptime_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                       std::chrono::steady_clock::now() - started_)
                                       .count());
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
    out.limits = limits_of(serving_->options());
    if (from_.store) {
        for (auto& [name, text] : from_.store())
            out.store.push_back({std::move(name), std::move(text)});
    }
    return out;
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
