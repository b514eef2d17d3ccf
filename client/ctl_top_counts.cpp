// Rates and quantiles from counters.
#include "ctl_top_counts.hpp"

#include "ctl_metrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace wharf::ctl {

namespace {

double bound_of(std::string_view le)
{
    double bound = std::numeric_limits<double>::infinity();
    std::from_chars(le.data(), le.data() + le.size(), bound);
    return bound;
}

void take_command_metric(command_counts& to, const metric& from)
{
    if (from.name == "wharf_calls_total")
        to.calls = from.value;
    else if (from.name == "wharf_call_errors_total")
        to.errors += from.value; // one sample for each code
    else if (from.name == "wharf_calls_in_flight")
        to.in_flight = from.value;
    else if (from.name == "wharf_call_received_bytes_total" ||
             from.name == "wharf_call_sent_bytes_total")
        to.bytes += from.value;
    else if (from.name == "wharf_call_duration_seconds_bucket")
        to.latency.emplace_back(bound_of(from.label("le")), from.value);
}

void take_metric(daemon_counts& to, const metric& from)
{
    if (const std::string_view command = from.label("command"); !command.empty()) {
        take_command_metric(to.commands[std::string(command)], from);
        if (from.name == "wharf_call_received_bytes_total")
            to.bytes_in += from.value;
        else if (from.name == "wharf_call_sent_bytes_total")
            to.bytes_out += from.value;
    }
    else if (from.name == "wharf_uptime_seconds")
        to.uptime_s = from.value;
    else if (from.name == "wharf_sessions")
        to.sessions = from.value;
    else if (from.name == "wharf_thread_delay_seconds")
        to.threads += 1; // one sample for each worker
    else if (from.name == "wharf_draining")
        to.is_draining = from.value != 0;
    else if (from.name == "process_cpu_seconds_total")
        to.cpu_s = from.value;
    else if (from.name == "process_resident_memory_bytes")
        to.memory_bytes = from.value;
}

double increase(double before, double after)
{
    return after >= before ? after - before : after;
}

command_rates command_rates_between(const command_counts& before, const command_counts& after,
                                    double elapsed_s)
{
    command_rates made;
    made.calls_per_s = increase(before.calls, after.calls) / elapsed_s;
    made.errors_per_s = increase(before.errors, after.errors) / elapsed_s;
    made.bytes_per_s = increase(before.bytes, after.bytes) / elapsed_s;
    made.in_flight = after.in_flight;
    auto latency = after.latency;
    if (before.latency.size() == latency.size())
        for (std::size_t i = 0; i != latency.size(); ++i)
            latency[i].second = increase(before.latency[i].second, latency[i].second);
    made.p50_s = quantile(latency, 0.5);
    made.p99_s = quantile(latency, 0.99);
    return made;
}

double value_of(const command_rates& c, sort_column by)
{
    switch (by) {
    case sort_column::name: return 0;
    case sort_column::calls: return c.calls_per_s;
    case sort_column::errors: return c.errors_per_s;
    case sort_column::p50: return c.p50_s.value_or(-1);
    case sort_column::p99: return c.p99_s.value_or(-1);
    case sort_column::in_flight: return c.in_flight;
    case sort_column::bytes: return c.bytes_per_s;
    }
    return 0;
}

} // namespace

daemon_counts read_counts(std::string_view metrics)
{
    daemon_counts made;
    for (const metric& each : parse_metrics(metrics))
        take_metric(made, each);
    return made;
}

daemon_rates rates_between(const daemon_counts& before, const daemon_counts& after,
                           double elapsed_s)
{
    daemon_rates made;
    made.uptime_s = after.uptime_s;
    made.sessions = after.sessions;
    made.threads = after.threads;
    made.is_draining = after.is_draining;
    made.memory_bytes = after.memory_bytes;
    made.bytes_in_per_s = increase(before.bytes_in, after.bytes_in) / elapsed_s;
    made.bytes_out_per_s = increase(before.bytes_out, after.bytes_out) / elapsed_s;
    if (before.cpu_s && after.cpu_s)
        made.cpu_percent = 100 * increase(*before.cpu_s, *after.cpu_s) / elapsed_s;
    for (const auto& [name, counts] : after.commands) {
        const auto known = before.commands.find(name);
        command_rates one = command_rates_between(
            known == before.commands.end() ? command_counts{} : known->second, counts, elapsed_s);
        one.name = name;
        made.calls_per_s += one.calls_per_s;
        made.errors_per_s += one.errors_per_s;
        made.commands.push_back(std::move(one));
    }
    return made;
}

std::optional<double> quantile(const std::vector<std::pair<double, double>>& latency, double part)
{
    if (latency.empty() || !(latency.back().second > 0))
        return {};
    const double wanted = part * latency.back().second;
    double bound_below = 0, count_below = 0;
    for (const auto& [bound, count] : latency) {
        if (count >= wanted && count > count_below) {
            if (std::isinf(bound))
                return bound_below;
            return bound_below +
                   (bound - bound_below) * (wanted - count_below) / (count - count_below);
        }
        bound_below = bound;
        count_below = std::max(count_below, count);
    }
    return bound_below;
}

void sort_commands(std::vector<command_rates>& commands, sort_column by)
{
    std::sort(commands.begin(), commands.end(), [by](const auto& a, const auto& b) {
        const double x = value_of(a, by), y = value_of(b, by);
        if (x != y)
            return x > y;
        if (by != sort_column::name && a.calls_per_s != b.calls_per_s)
            return a.calls_per_s > b.calls_per_s;
        return a.name < b.name;
    });
}

void rate_history::keep(std::deque<double>& in, double value)
{
    in.push_back(value);
    if (in.size() > kept_max)
        in.pop_front();
}

void rate_history::add(const daemon_rates& rates)
{
    keep(total_, rates.calls_per_s);
    std::map<std::string, std::deque<double>> present;
    for (const command_rates& each : rates.commands) {
        auto known = commands_.extract(each.name);
        std::deque<double>& in =
            known ? present.insert(std::move(known)).position->second : present[each.name];
        keep(in, each.calls_per_s);
    }
    commands_ = std::move(present);
}

std::deque<double> rate_history::of(const std::string& command) const
{
    const auto known = commands_.find(command);
    return known == commands_.end() ? std::deque<double>{} : known->second;
}

} // namespace wharf::ctl
