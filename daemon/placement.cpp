// placement: the least late, then the least loaded.
#include "placement.hpp"

#include <utility>

namespace wharf {

std::optional<std::size_t> choose_worker(std::span<const worker_load> workers,
                                         std::size_t first) noexcept
{
    std::optional<std::size_t> best;
    const auto cost = [&](std::size_t i) {
        return std::pair(workers[i].delay / delay_step, workers[i].sessions);
    };
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const std::size_t at = (first + i) % workers.size();
        if (workers[at].delay <= delay_max && (!best || cost(at) < cost(*best)))
            best = at;
    }
    return best;
}

} // namespace wharf
