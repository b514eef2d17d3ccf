// Durable objects for any service: transactions on one writer thread, reads on a few others.
#pragma once

#include <wharf/error.hpp>
#include <wharf/objects.hpp>
#include <wharf/options.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wharf {

/// What a query asks for; the bounds of the page that answers it.
struct object_query {
    std::string_view prefix;
    std::string_view after;
    std::uint32_t entries_max = 100;
    std::size_t key_bytes_max = 256u << 10; ///< keys of one page, together
};

/// The store at one moment: nothing that others do shows. It is valid within the function that got
/// it, on that thread. Every member throws error with a store_* code.
class snapshot {
public:
    /// The object of a key; nothing when there is none.
    virtual std::optional<objects::object> get(std::string_view key) const = 0;
    /// Like get(), without reading the value.
    virtual std::optional<objects::entry> find(std::string_view key) const = 0;
    virtual objects::page list(const object_query& query) const = 0;
    /// The schema that a fingerprint stands for, to_bytes(schema); nothing when there is none.
    virtual std::optional<std::vector<std::byte>> find_schema(std::uint64_t fingerprint) const = 0;
    /// The newest revision of the whole store; 0 when nothing was ever written.
    virtual std::uint64_t revision() const = 0;

protected:
    snapshot() = default;
    snapshot(const snapshot&) = delete;
    snapshot& operator=(const snapshot&) = delete;
    ~snapshot() = default;
};

/// Changes that happen together or not at all; it sees its own. All changes of one transaction have
/// one revision, the next one of the store.
class transaction : public snapshot {
public:
    /// Returns the transaction's revision. The fingerprint is that of the value's type, 0 where
    /// that is not known. Throws errc::not_found where no schema has it: an object never has a type
    /// that nobody can look up.
    virtual std::uint64_t put(std::string_view key, std::span<const std::byte> value,
                              std::uint64_t fingerprint) = 0;
    std::uint64_t put(std::string_view key, std::span<const std::byte> value)
    {
        return put(key, value, 0);
    }
    /// Keeps a schema, to_bytes(schema), for ever; nothing happens where there is one already. The
    /// caller has checked that the fingerprint is the schema's. Throws errc::store_full where
    /// store_options::schemas_max are kept.
    virtual void define(std::uint64_t fingerprint, std::span<const std::byte> schema) = 0;
    /// Returns the transaction's revision; nothing when there is no such object.
    virtual std::optional<std::uint64_t> erase(std::string_view key) = 0;

protected:
    ~transaction() = default;
};

class change_feed;
class store_engine;

/// The engine's threads, queues and group commit. Everything acknowledged is on disk: a transaction
/// completes only after the commit that holds it.
///
/// Shared objects: safe, except close() and destruction. It must outlive the coroutines that await
/// it; close it before the io_context that they run on goes.
class store {
public:
    /// Opens the embedded database in options.directory, or creates it. Throws error, each with a
    /// text that names the path and says what to do: access_denied or store_failed (directory
    /// missing or not writable, a foreign or newer file), store_busy (another daemon has the
    /// directory, another process the database), store_corrupt, store_full.
    explicit store(const store_options& options);
    /// Uses another engine; tests do.
    store(std::unique_ptr<store_engine> engine, const store_options& options);
    ~store();
    store(const store&) = delete;
    store& operator=(const store&) = delete;

    /// Runs f(transaction&) on the writer thread and returns what it returns, once that is on disk.
    /// f must not block; it has sole access meanwhile. What it throws undoes its own changes only
    /// and reaches the caller. Where the commit fails, f is not run again and nothing of it is to
    /// be seen: store_full (works again when there is space), store_busy, store_corrupt;
    /// store_failed (the disk failed: after a restart it may turn out to have been done).
    /// overloaded with a hint when the queue is full.
    template <class F>
    auto async_transact(F&& f)
        -> boost::asio::awaitable<std::invoke_result_t<std::decay_t<F>&, transaction&>>
    {
        check_spelling<F>();
        return run<transaction, &store::transact>(*this, std::decay_t<F>(std::forward<F>(f)));
    }

    /// Runs f(const snapshot&) on a reader thread and returns what it returns.
    template <class F>
    auto async_read(F&& f)
        -> boost::asio::awaitable<std::invoke_result_t<std::decay_t<F>&, const snapshot&>>
    {
        check_spelling<F>();
        return run<const snapshot, &store::read>(*this, std::decay_t<F>(std::forward<F>(f)));
    }

    /// Completes what is queued, folds the log into the database and releases the directory.
    /// Later calls complete with store_failed. Waits; may be called more than once.
    void close();

    /// Counts since the start; read one after the other.
    struct counts {
        std::uint64_t transactions = 0; ///< acknowledged
        std::uint64_t commits = 0;      ///< of groups: fewer than transactions under load
        std::uint64_t reads = 0;
        std::uint64_t refused = 0;     ///< overloaded
        std::uint64_t failed = 0;      ///< transactions whose commit failed
        std::uint64_t waiting = 0;     ///< in the queues now
        std::uint64_t checkpoints = 0; ///< that folded the whole log
    };
    counts statistics() const;
    /// What an operator wants to know: engine, file, whether it takes changes.
    std::vector<std::pair<std::string, std::string>> describe() const;
    /// As they were given.
    const store_options& options() const noexcept;
    /// Ends every store_watch with errc::going_away: before a stop, which would wait for them.
    void end_watches() noexcept;
    /// For store_watch: the changes that are kept.
    change_feed& feed() noexcept;

private:
    class core;
    /// A function behind its type; the coroutine that awaits it owns it.
    template <class View>
    struct work {
        void (*run)(void* context, View& view);
        void* context;
    };

    template <class F>
    static constexpr void check_spelling()
    {
        static_assert(std::is_lvalue_reference_v<F> ||
                          std::is_trivially_destructible_v<std::remove_cvref_t<F>>,
                      "Name the function before awaiting it: auto f = [...](auto& t) {...}; "
                      "co_await store.async_transact(f). g++ 12 destroys a temporary in a co_await "
                      "expression twice.");
    }

    boost::asio::awaitable<void> transact(work<transaction> f);
    boost::asio::awaitable<void> read(work<const snapshot> f);

    template <class View, auto Member, class F>
    static boost::asio::awaitable<std::invoke_result_t<F&, View&>> run(store& self, F f)
    {
        using result = std::invoke_result_t<F&, View&>;
        if constexpr (std::is_void_v<result>) {
            work<View> erased{[](void* context, View& view) { (*static_cast<F*>(context))(view); },
                              &f};
            co_await (self.*Member)(erased);
        }
        else {
            struct {
                F& f;
                std::optional<result> value;
            } local{f, std::nullopt};
            using local_type = decltype(local);
            work<View> erased{[](void* context, View& view) {
                                  auto& to = *static_cast<local_type*>(context);
                                  to.value.emplace(to.f(view));
                              },
                              &local};
            co_await (self.*Member)(erased);
            co_return std::move(*local.value);
        }
    }

    std::unique_ptr<core> core_;
};

} // namespace wharf
