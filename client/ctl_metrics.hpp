// Reads the text that system.metrics answers with.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf::ctl {

/// One line of Prometheus's exposition format.
struct metric {
    std::string name;
    std::vector<std::pair<std::string, std::string>> labels; ///< as they stood, without escapes
    double value = 0;

    /// The label's value; empty: there is none.
    std::string_view label(std::string_view name) const;
};

/// The samples of a text, in order; lines that are none are passed over.
std::vector<metric> parse_metrics(std::string_view text);

} // namespace wharf::ctl
