// What was changed in a store, transaction by transaction, for whoever wants to follow it.
#pragma once

#include <wharf/error.hpp>
#include <wharf/objects.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace wharf {

class store;
class change_feed;

/// Follows the changes of a store: each transaction that changed objects, after it is on disk, in
/// the order of revisions, none left out and none twice. It takes no memory of its own: the store
/// keeps the last store_options::watch_backlog_max changes for all that watch, and one that falls
/// further behind is told so. No writer ever waits for it.
///
/// It belongs to one coroutine, whose executor runs one function at a time. The store must outlive
/// it.
class store_watch {
public:
    /// Begins after a revision; nothing: with what happens from now on. Throws error:
    /// errc::compacted where changes after it are not kept any more, errc::overloaded with a hint
    /// where store_options::watches_max are there already, errc::store_corrupt where the store
    /// cannot tell its revision.
    explicit store_watch(store& what, std::optional<std::uint64_t> after = {});
    ~store_watch();
    store_watch(const store_watch&) = delete;
    store_watch& operator=(const store_watch&) = delete;

    /// The next transaction; null where there was none until then. All of its changes are there,
    /// each object once, without values. Throws error: errc::compacted where it is not kept any
    /// more, errc::going_away after store::end_watches(); each text says after which revision.
    /// Ends with operation_aborted where the coroutine is cancelled.
    boost::asio::awaitable<std::shared_ptr<const objects::changes>>
    async_next(std::chrono::steady_clock::time_point until);

    /// All changes up to this revision have been given.
    std::uint64_t revision() const noexcept { return revision_; }

private:
    change_feed* feed_;
    std::uint64_t revision_;
};

} // namespace wharf
