// What `wharfctl top` makes of a daemon's metrics: what happened between two looks at them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf::ctl {

/// What was counted of one command since the daemon's start.
struct command_counts {
    double calls = 0, errors = 0, bytes = 0;
    double in_flight = 0; ///< now
    /// Upper bounds in seconds, and how many calls took at most so long.
    std::vector<std::pair<double, double>> latency;
};

/// One look at a daemon.
struct daemon_counts {
    double uptime_s = 0, sessions = 0, threads = 0;
    double bytes_in = 0, bytes_out = 0;
    bool is_draining = false;
    std::optional<double> cpu_s, memory_bytes; ///< absent: the daemon does not say
    std::map<std::string, command_counts> commands;
};
daemon_counts read_counts(std::string_view metrics);

/// What one command did in the meantime.
struct command_rates {
    std::string name;
    double calls_per_s = 0, errors_per_s = 0, bytes_per_s = 0;
    double in_flight = 0;
    std::optional<double> p50_s, p99_s; ///< absent: there were no calls
    bool operator==(const command_rates&) const = default;
};

/// What a daemon did in the meantime.
struct daemon_rates {
    double uptime_s = 0, sessions = 0, threads = 0;
    double calls_per_s = 0, errors_per_s = 0, bytes_in_per_s = 0, bytes_out_per_s = 0;
    bool is_draining = false;
    std::optional<double> cpu_percent, memory_bytes;
    std::vector<command_rates> commands; ///< in the order of their names
};
/// `elapsed_s` is above 0. Counters that went back, of a daemon that began again, count from 0.
daemon_rates rates_between(const daemon_counts& before, const daemon_counts& after,
                           double elapsed_s);

/// The latency that this part of the calls did not exceed, by the counts of a histogram's buckets;
/// inside a bucket calls are taken to be spread evenly, and the last bound stands for what is
/// beyond it.
std::optional<double> quantile(const std::vector<std::pair<double, double>>& latency, double part);

enum class sort_column { name, calls, errors, p50, p99, in_flight, bytes };
inline constexpr std::size_t sort_columns = 7;

/// Names upwards, numbers downwards; equal ones by calls, then by name.
void sort_commands(std::vector<command_rates>& commands, sort_column by);

/// Calls per second of the last looks, the newest last.
class rate_history {
public:
    void add(const daemon_rates& rates);

    const std::deque<double>& total() const noexcept { return total_; }
    /// Nothing where the command is not known.
    std::deque<double> of(const std::string& command) const;

private:
    static constexpr std::size_t kept_max = 600;
    static void keep(std::deque<double>& in, double value);

    std::deque<double> total_;
    /// Of the commands of the last look.
    std::map<std::string, std::deque<double>> commands_;
};

} // namespace wharf::ctl
