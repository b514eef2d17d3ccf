// Notes what transactions change, keeps the last of it, and wakes those who watch.
#include "store_feed.hpp"

#include <wharf/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace wharf {

namespace {
constexpr std::chrono::milliseconds retry_hint{1000};
} // namespace

// ---- What a transaction changes ---------------------------------------------------------------

std::uint64_t noted_transaction::put(std::string_view key, std::span<const std::byte> value,
                                     std::uint64_t fingerprint)
{
    changes_.revision = to_.put(key, value, fingerprint);
    changes_.list.push_back(
        {objects::change_kind::put, std::string(key), value.size(), fingerprint, {}});
    return changes_.revision;
}

std::optional<std::uint64_t> noted_transaction::erase(std::string_view key)
{
    const auto revision = to_.erase(key);
    if (revision) {
        changes_.revision = *revision;
        changes_.list.push_back({objects::change_kind::erase, std::string(key), 0, 0, {}});
    }
    return revision;
}

std::shared_ptr<const objects::changes> noted_transaction::take()
{
    if (changes_.list.empty())
        return nullptr;
    if (changes_.list.size() > 1) { // of each object the last one counts
        std::unordered_set<std::string_view> later;
        std::vector<bool> counts(changes_.list.size());
        for (std::size_t i = changes_.list.size(); i-- > 0;)
            counts[i] = later.insert(changes_.list[i].key).second;
        std::vector<objects::change> last;
        for (std::size_t i = 0; i < counts.size(); ++i)
            if (counts[i])
                last.push_back(std::move(changes_.list[i]));
        changes_.list = std::move(last);
    }
    return std::make_shared<const objects::changes>(std::move(changes_));
}

// ---- What is kept -----------------------------------------------------------------------------

change_feed::change_feed(const store_options& options, std::uint64_t revision)
    : changes_max_(options.watch_backlog_max),
      watches_max_(options.watches_max),
      kept_after_(revision),
      newest_(revision)
{}

change_feed::change_feed(const store_options& options, const error& why)
    : changes_max_(options.watch_backlog_max),
      watches_max_(options.watches_max),
      unknown_(why),
      kept_after_(0),
      newest_(0)
{}

void change_feed::publish(std::vector<changes_ptr>&& transactions) noexcept
{
    if (transactions.empty())
        return;
    std::vector<changes_ptr> gone; // which is freed without the lock
    const std::lock_guard lock(mutex_);
    newest_ = transactions.back()->revision;
    try {
        keep(std::move(transactions), gone);
        wake_all();
    }
    catch (...) { // No memory. The transactions are done all the same; watches look again in time.
        kept_.clear();
        changes_kept_ = 0;
        kept_after_ = newest_;
    }
}

void change_feed::keep(std::vector<changes_ptr>&& transactions, std::vector<changes_ptr>& gone)
{
    for (changes_ptr& each : transactions) {
        changes_kept_ += each->list.size();
        kept_.push_back(std::move(each));
    }
    while (changes_kept_ > changes_max_) {
        kept_after_ = kept_.front()->revision;
        changes_kept_ -= kept_.front()->list.size();
        gone.push_back(std::move(kept_.front()));
        kept_.pop_front();
    }
}

/// With the lock: who stops waiting takes it first, so that its executor is still there.
void change_feed::wake_all()
{
    for (auto& each : std::exchange(waiting_, {}))
        boost::asio::post(each->executor, [each] { each->timer.cancel(); });
}

void change_feed::end() noexcept
{
    const std::lock_guard lock(mutex_);
    ended_ = true;
    try {
        wake_all();
    }
    catch (...) { // They notice at their next sign of life.
    }
}

void change_feed::enter()
{
    if (unknown_)
        throw *unknown_;
    const std::lock_guard lock(mutex_);
    if (watches_ >= watches_max_)
        throw error(errc::overloaded,
                    "there are " + std::to_string(watches_) +
                        " watches, as many as store.watches_max allows",
                    retry_hint);
    ++watches_;
}

void change_feed::leave() noexcept
{
    const std::lock_guard lock(mutex_);
    --watches_;
}

std::uint32_t change_feed::watches() const
{
    const std::lock_guard lock(mutex_);
    return watches_;
}

std::uint64_t change_feed::revision() const
{
    const std::lock_guard lock(mutex_);
    return newest_;
}

void change_feed::check(std::uint64_t after) const
{
    if (unknown_)
        throw *unknown_;
    const std::lock_guard lock(mutex_);
    check_locked(after);
}

void change_feed::check_locked(std::uint64_t after) const
{
    if (after < kept_after_)
        throw error(errc::compacted, "not all changes after revision " + std::to_string(after) +
                                         " are kept, only those after " +
                                         std::to_string(kept_after_) +
                                         ": list again, then watch after the list's revision");
}

change_feed::changes_ptr change_feed::next_or_wait(std::uint64_t after,
                                                   const std::shared_ptr<waiter>& who)
{
    const std::lock_guard lock(mutex_);
    if (ended_)
        throw error(errc::going_away,
                    "the daemon stops: watch again after revision " + std::to_string(after));
    check_locked(after);
    const auto next =
        std::upper_bound(kept_.begin(), kept_.end(), after,
                         [](std::uint64_t r, const changes_ptr& c) { return r < c->revision; });
    if (next != kept_.end())
        return *next;
    waiting_.push_back(who);
    return nullptr;
}

void change_feed::stop_waiting(const std::shared_ptr<waiter>& who) noexcept
{
    const std::lock_guard lock(mutex_);
    std::erase(waiting_, who);
}

} // namespace wharf
