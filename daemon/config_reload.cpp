// Compares two configurations, key by key, and takes over what can change.
#include "config_reload.hpp"

#include "config_keys.hpp"
#include "config_values.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace wharf::config {

namespace {

/// Threads, memory, files and descriptors that the start has made; and what services were told
/// then.
constexpr std::array<std::string_view, 6> fixed_keys{
    "state_directory",           "server.threads",           "server.blocking_threads",
    "server.freed_memory_bytes", "limits.message_bytes_max", "log.format"};

std::string name_of(const listener_options& l)
{
    return l.name.empty() ? to_string(l.where) : l.name;
}

const listener_options* find(const std::vector<listener_options>& in, const std::string& name)
{
    const auto found = std::find_if(in.begin(), in.end(),
                                    [&](const listener_options& l) { return name_of(l) == name; });
    return found == in.end() ? nullptr : &*found;
}

void keep_fixed(configuration& now, const configuration& running)
{
    now.store = running.store;
    now.freed_memory_bytes = running.freed_memory_bytes;
    now.log.how = running.log.how;
    now.server.threads = running.server.threads;
    now.server.blocking_threads = running.server.blocking_threads;
    now.server.decode.message_bytes_max = running.server.decode.message_bytes_max;
    now.server.conversation.message_bytes_max = running.server.conversation.message_bytes_max;
}

/// What is written fits together, as check() has seen; but one of the limits stays as it is.
void check_against_fixed(const configuration& now)
{
    const std::size_t message = now.server.decode.message_bytes_max;
    const auto refuse = [&](const char* key, const char* how) {
        throw config_error(now.origin(key), key,
                           std::string(how) + " the limits.message_bytes_max in force, " +
                               format_size(message) + ", which changes at a restart only",
                           "a restart, or a size that fits both");
    };
    if (now.server.conversation.frame_bytes_max > message)
        refuse("limits.frame_bytes_max", "exceeds");
    if (now.server.conversation.reassembly_bytes_max < message)
        refuse("limits.reassembly_bytes_max", "is less than");
}

void compare_keys(reload_plan& plan, const configuration& running, const configuration& read)
{
    for (const key<configuration>& k : keys())
        if (k.print(running) != k.print(read))
            (needs_restart(k.name) ? plan.restart : plan.applied).push_back(k.name);
}

void compare_listeners(reload_plan& plan, const configuration& running)
{
    const std::vector<listener_options> read =
        std::exchange(plan.now.server.listeners, running.server.listeners);
    bool differ = read.size() != running.server.listeners.size(), json_differs = false;
    for (listener_options& l : plan.now.server.listeners) {
        const listener_options* wanted = find(read, name_of(l));
        if (wanted == nullptr) {
            differ = true;
            continue;
        }
        json_differs = json_differs || l.json != wanted->json;
        l.json = wanted->json;
        l.tcp = wanted->tcp;
        differ = differ || l != *wanted;
    }
    if (json_differs)
        plan.applied.emplace_back("listen.json");
    if (differ)
        plan.restart.emplace_back("listen");
}

void compare_rules(reload_plan& plan, const configuration& running)
{
    server_options& now = plan.now.server;
    std::erase_if(now.allow, [&](const allow_rule& rule) {
        return rule.listener != "*" && find(now.listeners, rule.listener) == nullptr;
    });
    if (now.allow != running.server.allow)
        plan.applied.emplace_back("allow");
    if (now.roles != running.server.roles)
        plan.applied.emplace_back("role");
}

} // namespace

bool needs_restart(const std::string& key)
{
    return key.starts_with("store.") ||
           std::find(fixed_keys.begin(), fixed_keys.end(), key) != fixed_keys.end();
}

reload_plan plan_reload(const configuration& running, configuration read)
{
    reload_plan plan;
    compare_keys(plan, running, read);
    plan.now = std::move(read);
    keep_fixed(plan.now, running);
    check_against_fixed(plan.now);
    compare_listeners(plan, running);
    compare_rules(plan, running);
    return plan;
}

} // namespace wharf::config
