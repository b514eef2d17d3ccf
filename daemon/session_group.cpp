// session_group: who lives here, who came, who left.
#include "session_group.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
/// A session on which nothing happened for this long gives memory back.
constexpr auto quiet_time = 2s;
constexpr auto sweep_interval = 500ms;
/// Each costs a few system calls; the rest has to wait for the next sweep.
constexpr int rests_per_sweep_max = 1000;

/// Keeps something alive as long as what it allocates, in the same block: thousands of sessions
/// wait for most of their time, and each byte counts.
template <class T>
struct keeping_allocator {
    using value_type = T;
    std::shared_ptr<const void> kept;

    explicit keeping_allocator(std::shared_ptr<const void> what) : kept(std::move(what)) {}
    template <class U>
    keeping_allocator(const keeping_allocator<U>& other) : kept(other.kept)
    {}
    T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
    void deallocate(T* at, std::size_t n) { std::allocator<T>().deallocate(at, n); }
    template <class U>
    bool operator==(const keeping_allocator<U>&) const
    {
        return true;
    }
};
} // namespace

session_group::session_group(asio::any_io_executor executor, const session_surroundings& around,
                             std::function<void(session_seed&&)> leave)
    : executor_(std::move(executor)),
      around_(around),
      metrics_(around.commands.size()),
      leave_(std::move(leave))
{}

std::shared_ptr<const session_group::common> session_group::common_now()
{
    auto settings = around_.settings.get();
    const std::lock_guard lock(common_mutex_);
    if (common_ && common_->settings == settings)
        return common_;
    const session_settings& s = *settings;
    session_host host{s.options,
                      around_.calls_memory,
                      around_.commands,
                      s.rules,
                      counters_,
                      metrics_,
                      around_.pool,
                      [this](session& ended) { on_ended(ended); },
                      leave_ ? [this](session_seed&& seed) { on_leaving(std::move(seed)); }
                             : std::function<void(session_seed &&)>()};
    common_ = std::make_shared<const common>(common{std::move(settings), std::move(host)});
    return common_;
}

/// What the session refers to lives at least as long as it: its settings, and the group's owner
/// where that asked for it.
template <class... Args>
std::shared_ptr<session> session_group::make(Args&&... args)
{
    const auto with = common_now();
    std::shared_ptr<const void> kept = with;
    if (auto owner = owner_.lock())
        kept =
            std::make_shared<const std::pair<std::shared_ptr<const common>, std::shared_ptr<void>>>(
                with, std::move(owner));
    return std::allocate_shared<session>(keeping_allocator<session>{std::move(kept)},
                                         std::forward<Args>(args)..., with->host);
}

void session_group::add(transport stream, std::uint64_t id, std::optional<principal> who,
                        session_end refusal, bool takes_json)
{
    auto s = make(std::move(stream), id, std::move(who), std::move(refusal), takes_json);
    load_.fetch_add(1, std::memory_order_relaxed);
    asio::post(executor_, [this, s = std::move(s)] { begin(s); });
}

void session_group::add(session_seed&& seed)
{
    load_.fetch_add(1, std::memory_order_relaxed);
    asio::post(executor_, [this, seed = std::move(seed)]() mutable {
        begin(make(std::move(seed), executor_));
    });
}

void session_group::begin(const std::shared_ptr<session>& s)
{
    sessions_.emplace(s->id(), s.get());
    s->start();
    if (draining_)
        s->drain();
    keep_sweeping();
}

/// A group without sessions does not wake up.
void session_group::keep_sweeping()
{
    if (!sweep_timer_.expired())
        return;
    auto timer = std::make_shared<asio::steady_timer>(executor_, sweep_interval);
    sweep_timer_ = timer;
    timer->async_wait([this, timer, owner = owner_.lock()](const error_code& failed) {
        if (failed)
            return;
        sweep_timer_.reset();
        sweep();
    });
}

void session_group::stop_sweeping()
{
    if (const auto timer = sweep_timer_.lock())
        timer->cancel();
    sweep_timer_.reset();
}

void session_group::sweep()
{
    const auto quiet_since = std::chrono::steady_clock::now() - quiet_time;
    if (to_sweep_.empty())
        for (const auto& [id, s] : sessions_)
            to_sweep_.push_back(id);
    for (int rested = 0; !to_sweep_.empty() && rested < rests_per_sweep_max; to_sweep_.pop_back()) {
        const auto at = sessions_.find(to_sweep_.back());
        if (at != sessions_.end())
            rested += at->second->rest(quiet_since);
    }
    if (!sessions_.empty())
        keep_sweeping();
}

void session_group::on_ended(session& s)
{
    // One that left has been taken out: it ends here, and goes on elsewhere.
    if (sessions_.erase(s.id()) == 0)
        return;
    if (sessions_.empty())
        stop_sweeping();
    load_.fetch_sub(1, std::memory_order_relaxed);
    around_.ended(s.is_refused());
}

void session_group::on_leaving(session_seed&& seed)
{
    if (sessions_.erase(seed.facts.id) != 0)
        load_.fetch_sub(1, std::memory_order_relaxed);
    if (sessions_.empty())
        stop_sweeping();
    leave_(std::move(seed));
}

void session_group::drain()
{
    asio::post(executor_, [this, owner = owner_.lock()] {
        draining_ = true;
        for (const auto& [id, s] : sessions_)
            s->drain();
    });
}

void session_group::close_all()
{
    asio::post(executor_, [this, owner = owner_.lock()] { close_all_here(); });
}

void session_group::close_all_here()
{
    for (const auto& [id, s] : sessions_)
        s->close_now(errc::going_away);
}

std::vector<session_info> session_group::list(std::size_t count, std::uint64_t after) const
{
    std::vector<const session*> first;
    for (const auto& [id, s] : sessions_)
        if (id > after && !s->is_refused())
            first.push_back(s);
    count = std::min(count, first.size());
    const auto middle = first.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(first.begin(), middle, first.end(),
                      [](const session* a, const session* b) { return a->id() < b->id(); });
    std::vector<session_info> all;
    for (auto s = first.begin(); s != middle; ++s)
        all.push_back((*s)->info());
    return all;
}

} // namespace wharf
