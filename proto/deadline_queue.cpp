// A binary heap with lazy deletion and compaction.
#include "deadline_queue.hpp"

#include <algorithm>

namespace wharf::detail {
namespace {

bool is_waited_for(std::uint64_t id, const id_map<own_call>& calls) noexcept
{
    const own_call* call = calls.find(id);
    return call != nullptr && !call->is_given_up;
}

} // namespace

void deadline_queue::add(time_point when, std::uint64_t id, const id_map<own_call>& calls)
{
    if (heap_.size() >= compact_min && heap_.size() > 2 * calls.size())
        compact(calls);
    heap_.push_back({when, id});
    std::push_heap(heap_.begin(), heap_.end(), is_later);
}

std::optional<deadline_queue::time_point> deadline_queue::earliest(const id_map<own_call>& calls)
{
    while (!heap_.empty() && !is_waited_for(heap_.front().id, calls))
        pop();
    if (heap_.empty())
        return std::nullopt;
    return heap_.front().when;
}

std::optional<std::uint64_t> deadline_queue::take_expired(time_point now,
                                                          const id_map<own_call>& calls)
{
    const auto when = earliest(calls);
    if (!when || *when > now)
        return std::nullopt;
    const std::uint64_t id = heap_.front().id;
    pop();
    return id;
}

void deadline_queue::pop()
{
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    heap_.pop_back();
}

void deadline_queue::compact(const id_map<own_call>& calls)
{
    std::erase_if(heap_, [&](const entry& e) { return !is_waited_for(e.id, calls); });
    std::make_heap(heap_.begin(), heap_.end(), is_later);
}

} // namespace wharf::detail
