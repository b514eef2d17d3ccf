// store_watch: one reader of a store's changes.
#include <wharf/store_watch.hpp>

#include "store_feed.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wharf {
namespace asio = boost::asio;

namespace {

/// However the wait ends, the feed forgets who waited, before the executor may go.
class waiting {
public:
    waiting(change_feed& in, std::shared_ptr<change_feed::waiter> who)
        : in_(in), who_(std::move(who))
    {}
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    ~waiting() { in_.stop_waiting(who_); }

private:
    change_feed& in_;
    const std::shared_ptr<change_feed::waiter> who_;
};

} // namespace

store_watch::store_watch(store& what, std::optional<std::uint64_t> after)
    : feed_(&what.feed()), revision_(after.value_or(0))
{
    if (after)
        feed_->check(*after);
    else
        revision_ = feed_->revision();
    feed_->enter();
}

store_watch::~store_watch()
{
    feed_->leave();
}

asio::awaitable<std::shared_ptr<const objects::changes>>
store_watch::async_next(std::chrono::steady_clock::time_point until)
{
    auto executor = co_await asio::this_coro::executor;
    auto who = std::make_shared<change_feed::waiter>(change_feed::waiter{executor});
    for (;;) {
        auto next = feed_->next_or_wait(revision_, who);
        if (next) {
            revision_ = next->revision;
            co_return next;
        }
        const waiting guard(*feed_, who);
        if (std::chrono::steady_clock::now() >= until)
            co_return nullptr;
        who->timer.expires_at(until);
        co_await who->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

} // namespace wharf
