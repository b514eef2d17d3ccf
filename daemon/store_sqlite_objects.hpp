// The rows of objects on one SQLite connection: what a snapshot and a transaction do.
#pragma once

#include "store_sqlite_connection.hpp"

#include <wharf/store.hpp>

#include <optional>

namespace wharf::sqlite {

/// Reads, on a connection that is inside a transaction.
class object_reads {
public:
    explicit object_reads(connection& on);

    std::optional<objects::object> get(std::string_view key);
    std::optional<objects::entry> find(std::string_view key);
    objects::page list(const object_query& query);
    std::uint64_t revision();

private:
    statement get_, find_, list_from_, list_after_, revision_;
};

/// A view of a connection that only reads.
class object_snapshot final : public snapshot {
public:
    explicit object_snapshot(connection& on) : reads_(on) {}
    std::optional<objects::object> get(std::string_view key) const override;
    std::optional<objects::entry> find(std::string_view key) const override;
    objects::page list(const object_query& query) const override;
    std::uint64_t revision() const override;

private:
    mutable object_reads reads_; // statements are stepped; one thread uses them
};

/// A view of the connection that writes. Revisions are counted here and stored once per group.
class object_transaction final : public transaction {
public:
    explicit object_transaction(connection& on);
    std::optional<objects::object> get(std::string_view key) const override;
    std::optional<objects::entry> find(std::string_view key) const override;
    objects::page list(const object_query& query) const override;
    std::uint64_t revision() const override { return revision_; }
    std::uint64_t put(std::string_view key, std::span<const std::byte> value) override;
    std::optional<std::uint64_t> erase(std::string_view key) override;

    /// Reads the counter, at the beginning of a group.
    void begin_group();
    void begin_one() noexcept { before_one_ = revision_; }
    void undo_one() noexcept { revision_ = before_one_; }
    /// Stores the counter, at the end of a group.
    void end_group();

private:
    std::uint64_t next_revision();
    void check_open() const;

    connection& on_;
    mutable object_reads reads_;
    statement put_, erase_, set_revision_;
    std::uint64_t before_group_ = 0, before_one_ = 0, revision_ = 0;
};

} // namespace wharf::sqlite
