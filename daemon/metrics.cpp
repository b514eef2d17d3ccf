// metrics: counting calls, and reading the counts from outside.
#include "metrics.hpp"

#include <algorithm>
#include <new>

namespace wharf {

namespace {

/// Every number below this has a counter of its own; an enumerator above it counts as internal.
constexpr std::size_t codes_max = 192;

} // namespace

struct call_metrics::error_counts {
    std::array<counter, codes_max> of{};
};

std::size_t latency_bucket(std::chrono::nanoseconds latency) noexcept
{
    const auto at = std::lower_bound(latency_bounds.begin(), latency_bounds.end(), latency);
    return static_cast<std::size_t>(at - latency_bounds.begin());
}

void command_figures::add(const command_figures& other)
{
    answered += other.answered;
    in_flight += other.in_flight;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    latency_sum += other.latency_sum;
    for (std::size_t i = 0; i < latency.size(); ++i)
        latency[i] += other.latency[i];
    for (const auto& [code, count] : other.errors)
        errors[code] += count;
}

std::uint64_t command_figures::errors_sum() const noexcept
{
    std::uint64_t sum = 0;
    for (const auto& [code, count] : errors)
        sum += count;
    return sum;
}

call_metrics::call_metrics(std::size_t commands) : rows_(commands + 1) {}

call_metrics::~call_metrics()
{
    for (row& r : rows_)
        delete r.errors.load(std::memory_order_relaxed);
}

void call_metrics::answered(std::size_t index, errc code, std::chrono::nanoseconds latency,
                            std::uint64_t bytes_in, std::uint64_t bytes_out,
                            std::uint64_t count) noexcept
{
    row& r = at(index);
    add(r.answered, count);
    add(r.bytes_in, bytes_in);
    add(r.bytes_out, bytes_out);
    const auto each = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    add(r.latency_ns, each * count);
    add(r.latency[latency_bucket(latency)], count);
    if (code != errc{})
        add_error(r, code, count);
}

void call_metrics::add_error(row& to, errc code, std::uint64_t count) noexcept
{
    error_counts* counts = to.errors.load(std::memory_order_relaxed);
    if (counts == nullptr) {
        // Without memory the error goes uncounted by its code; the call itself was counted.
        counts = new (std::nothrow) error_counts;
        if (counts == nullptr)
            return;
        to.errors.store(counts, std::memory_order_release);
    }
    auto number = static_cast<std::size_t>(code);
    if (number >= codes_max)
        number = static_cast<std::size_t>(errc::internal);
    add(counts->of[number], count);
}

void call_metrics::add_to(std::vector<command_figures>& to) const
{
    if (to.size() < rows_.size())
        to.resize(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const row& from = rows_[i];
        const auto read = [](const counter& c) { return c.load(std::memory_order_relaxed); };
        command_figures& sum = to[i];
        // One thread may begin what another answers: the difference counts, not the parts.
        const std::uint64_t answered = read(from.answered);
        sum.answered += answered;
        sum.in_flight += read(from.began) - answered;
        sum.bytes_in += read(from.bytes_in);
        sum.bytes_out += read(from.bytes_out);
        sum.latency_sum += std::chrono::nanoseconds(read(from.latency_ns));
        for (std::size_t b = 0; b < latency_buckets; ++b)
            sum.latency[b] += read(from.latency[b]);
        const error_counts* errors = from.errors.load(std::memory_order_acquire);
        for (std::size_t code = 0; errors != nullptr && code < codes_max; ++code)
            if (const std::uint64_t count = read(errors->of[code]))
                sum.errors[static_cast<errc>(code)] += count;
    }
}

} // namespace wharf
