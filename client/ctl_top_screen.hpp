// What `wharfctl top` draws: text from figures, without a terminal.
#pragma once

#include "ctl_style.hpp"
#include "ctl_top_counts.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wharf::ctl {

/// All that is shown besides the figures.
struct top_view {
    std::string software; ///< "wharfd 0.1.0"
    std::string endpoint;
    std::string trouble; ///< why the figures are old; empty: they are not
    double interval_s = 1;
    sort_column sort = sort_column::calls;
    bool is_paused = false;
    bool has_unicode = true; ///< false: ASCII only
    style look;
    std::size_t width = 80, height = 24;
};

/// The lines of a full screen: at most `height`, none wider than `width`.
std::vector<std::string> draw_screen(const top_view& view, const daemon_rates& figures,
                                     const rate_history& calls);

/// The same without a screen: all commands that did something, no keys, no history.
std::string draw_snapshot(const top_view& view, const daemon_rates& figures);

/// One line of JSON.
std::string json_of(const top_view& view, const daemon_rates& figures);

/// "0", "7.3", "45.2k", "3.1M"
std::string short_number(double number);
/// "12us", "1.2ms", "3.4s"; with `has_unicode` the micro sign.
std::string short_latency(double seconds, bool has_unicode);

/// A mark for each of the last values, the largest as high as a line.
std::string sparkline(const std::deque<double>& values, std::size_t width, bool has_unicode);

/// The text cut off to so many columns; colours in it take none.
std::string cut(const std::string& text, std::size_t width);

} // namespace wharf::ctl
