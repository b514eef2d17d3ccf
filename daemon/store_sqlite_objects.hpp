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
    std::optional<std::vector<std::byte>> find_schema(std::uint64_t fingerprint);
    std::uint64_t revision();

private:
    statement get_, find_, list_from_, list_after_, find_schema_, revision_;
};

/// A view of a connection that only reads.
class object_snapshot final : public snapshot {
public:
    explicit object_snapshot(connection& on) : reads_(on) {}
    std::optional<objects::object> get(std::string_view key) const override;
    std::optional<objects::entry> find(std::string_view key) const override;
    objects::page list(const object_query& query) const override;
    std::optional<std::vector<std::byte>> find_schema(std::uint64_t fingerprint) const override;
    std::uint64_t revision() const override;

private:
    mutable object_reads reads_; // statements are stepped; one thread uses them
};

/// A view of the connection that writes. Revisions are counted here and stored once per group.
class object_transaction final : public transaction {
public:
    object_transaction(connection& on, std::uint32_t schemas_max);
    std::optional<objects::object> get(std::string_view key) const override;
    std::optional<objects::entry> find(std::string_view key) const override;
    objects::page list(const object_query& query) const override;
    std::optional<std::vector<std::byte>> find_schema(std::uint64_t fingerprint) const override;
    std::uint64_t revision() const override { return revision_; }
    using transaction::put;
    std::uint64_t put(std::string_view key, std::span<const std::byte> value,
                      std::uint64_t fingerprint) override;
    void define(std::uint64_t fingerprint, std::span<const std::byte> schema) override;
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
    bool has_schema(std::uint64_t fingerprint);

    connection& on_;
    mutable object_reads reads_;
    const std::uint32_t schemas_max_;
    statement put_, erase_, has_schema_, count_schemas_, define_, set_revision_;
    std::uint64_t before_group_ = 0, before_one_ = 0, revision_ = 0;
};

} // namespace wharf::sqlite
