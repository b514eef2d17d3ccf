// The last changes of a store, kept in memory for those who watch it.
#pragma once

#include <wharf/error.hpp>
#include <wharf/objects.hpp>
#include <wharf/options.hpp>
#include <wharf/store.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wharf {

/// Passes changes on to a transaction and notes them: each object's last one.
class noted_transaction final : public transaction {
public:
    explicit noted_transaction(transaction& to) : to_(to) {}

    std::optional<objects::object> get(std::string_view key) const override { return to_.get(key); }
    std::optional<objects::entry> find(std::string_view key) const override
    {
        return to_.find(key);
    }
    objects::page list(const object_query& query) const override { return to_.list(query); }
    std::optional<std::vector<std::byte>> find_schema(std::uint64_t fingerprint) const override
    {
        return to_.find_schema(fingerprint);
    }
    std::uint64_t revision() const override { return to_.revision(); }
    using transaction::put;
    std::uint64_t put(std::string_view key, std::span<const std::byte> value,
                      std::uint64_t fingerprint) override;
    void define(std::uint64_t fingerprint, std::span<const std::byte> schema) override
    {
        to_.define(fingerprint, schema);
    }
    std::optional<std::uint64_t> erase(std::string_view key) override;

    /// What was changed; null where nothing was. Once.
    std::shared_ptr<const objects::changes> take();

private:
    transaction& to_;
    objects::changes changes_;
};

/// The last changes, which all who watch read from, each at its own place. What is kept is bounded
/// by their number: a key has at most 1 KiB, and no value is kept. Any thread.
class change_feed {
public:
    using changes_ptr = std::shared_ptr<const objects::changes>;

    /// Somebody who waits for more. On its executor, where `timer` is, it is woken by cancelling
    /// that.
    struct waiter {
        boost::asio::any_io_executor executor;
        boost::asio::steady_timer timer{executor};
    };

    /// `revision`: of the store when it was opened. What happened before is not kept.
    change_feed(const store_options& options, std::uint64_t revision);
    /// Of a store that does not know its revision: nobody can watch it.
    change_feed(const store_options& options, const error& why);

    /// These are on disk. Called by the writer, in the order of revisions; it takes the time of a
    /// few pointers, and of a post for each who waits. Without memory nothing is kept.
    void publish(std::vector<changes_ptr>&& transactions) noexcept;
    /// Every watch ends with errc::going_away, now and from now on.
    void end() noexcept;

    /// Takes a place among the watches. Throws errc::overloaded, and why nobody can watch.
    void enter();
    void leave() noexcept;
    std::uint32_t watches() const;

    /// The newest revision.
    std::uint64_t revision() const;
    /// Throws errc::compacted where changes after this revision are not kept.
    void check(std::uint64_t after) const;

    /// The first transaction after a revision. Null where there is none yet: then `who` is woken
    /// once when there is. Throws errc::compacted and errc::going_away.
    changes_ptr next_or_wait(std::uint64_t after, const std::shared_ptr<waiter>& who);
    void stop_waiting(const std::shared_ptr<waiter>& who) noexcept;

private:
    void check_locked(std::uint64_t after) const;
    void keep(std::vector<changes_ptr>&& transactions, std::vector<changes_ptr>& gone);
    void wake_all();

    const std::size_t changes_max_;
    const std::uint32_t watches_max_;
    const std::optional<error> unknown_; ///< why the revision is not known
    mutable std::mutex mutex_;           ///< guards what follows
    std::deque<changes_ptr> kept_;
    std::size_t changes_kept_ = 0; ///< of all kept transactions
    std::uint64_t kept_after_;     ///< changes after this revision are kept
    std::uint64_t newest_;
    std::uint32_t watches_ = 0;
    bool ended_ = false;
    std::vector<std::shared_ptr<waiter>> waiting_; ///< shared with the coroutines that wait
};

} // namespace wharf
