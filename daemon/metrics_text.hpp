// Metrics as text for Prometheus: the exposition format, version 0.0.4.
#pragma once

#include "metrics.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf {

/// Builds the text family by family. Names are the program's own and are not checked; label values
/// and help texts may be anything and are escaped.
/// Distinct objects: safe. Shared objects: unsafe.
class metrics_text {
public:
    using label = std::pair<std::string_view, std::string_view>;
    enum class kind { counter, gauge, histogram };

    /// Begins a family: what follows are its samples. Counters end in "_total", and names say their
    /// unit, which is seconds or bytes.
    void family(std::string_view name, kind which, std::string_view help);
    void sample(std::initializer_list<label> labels, std::uint64_t value);
    /// A sample whose name is the family's with `suffix` behind it.
    void sample(std::string_view suffix, std::initializer_list<label> labels,
                std::string_view value);
    /// A family of one sample without labels.
    void single(std::string_view name, kind which, std::string_view help, std::uint64_t value);

    /// All families so far.
    std::string take() { return std::move(text_); }

private:
    std::string text_;
    std::string family_;
};

/// "0.25", "1e-05": what Prometheus reads as the same number of seconds.
std::string to_seconds(std::chrono::nanoseconds time);

/// The families of calls: wharf_calls_total, wharf_call_errors_total, wharf_calls_in_flight,
/// wharf_call_received_bytes_total, wharf_call_sent_bytes_total and the histogram
/// wharf_call_duration_seconds. `names[i]` is the command of `figures[i]`; the rest of the figures
/// belongs to "(other)".
void append_calls(metrics_text& to, const std::vector<std::string>& names,
                  const std::vector<command_figures>& figures);

} // namespace wharf
