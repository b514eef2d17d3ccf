// What a database must do to be the engine under a store: groups of transactions and snapshots.
#pragma once

#include <wharf/store.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wharf {

/// The one connection that writes. Used by one thread. All but rollback() throw error with a
/// store_* code.
class store_writer {
public:
    virtual ~store_writer() = default;
    /// Begins a group.
    virtual void begin() = 0;
    /// Begins the next transaction of the group; the reference is valid until the group ends.
    virtual transaction& begin_one() = 0;
    /// Keeps what the transaction did.
    virtual void keep_one() = 0;
    /// Undoes what the transaction did. False: the engine gave up the whole group.
    virtual bool undo_one() = 0;
    /// Makes the group durable. When it throws, nothing of the group has been done.
    virtual void commit() = 0;
    /// Undoes the whole group.
    virtual void rollback() noexcept = 0;
    /// Called after a group was acknowledged, for chores. True when the log was folded completely.
    virtual bool tidy() = 0;
};

/// One of the connections that read. Used by one thread.
class store_reader {
public:
    virtual ~store_reader() = default;
    virtual const snapshot& begin() = 0;
    virtual void end() noexcept = 0;
};

/// An open database. The connections must be gone before it is.
class store_engine {
public:
    virtual ~store_engine() = default;
    virtual std::unique_ptr<store_writer> open_writer() = 0;
    virtual std::unique_ptr<store_reader> open_reader() = 0;
    /// Facts for an operator.
    virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
};

} // namespace wharf
