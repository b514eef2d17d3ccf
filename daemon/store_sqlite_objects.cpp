// The rows of objects on one SQLite connection: what a snapshot and a transaction do.
#include "store_sqlite_objects.hpp"

#include <wharf/error.hpp>

#include <algorithm>
#include <limits>

namespace wharf::sqlite {

object_reads::object_reads(connection& on)
    : get_(on, "SELECT revision, fingerprint, value FROM objects WHERE key = ?1"),
      // length() of a blob reads the row's header only.
      find_(on, "SELECT revision, fingerprint, length(value) FROM objects WHERE key = ?1"),
      // One bound each: with more than one, SQLite seeks to one of them and scans to the other.
      list_from_(on, "SELECT key, revision, fingerprint, length(value) FROM objects"
                     " WHERE key >= ?1 ORDER BY key LIMIT ?2"),
      list_after_(on, "SELECT key, revision, fingerprint, length(value) FROM objects"
                      " WHERE key > ?1 ORDER BY key LIMIT ?2"),
      find_schema_(on, "SELECT schema FROM schemas WHERE fingerprint = ?1"),
      revision_(on, "SELECT revision FROM store")
{}

std::optional<objects::object> object_reads::get(std::string_view key)
{
    const reset_at_end guard(get_);
    get_.bind(1, key);
    if (!get_.step())
        return std::nullopt;
    const auto value = get_.bytes(2);
    return objects::object{{value.begin(), value.end()}, get_.number(0), get_.number(1)};
}

std::optional<objects::entry> object_reads::find(std::string_view key)
{
    const reset_at_end guard(find_);
    find_.bind(1, key);
    if (!find_.step())
        return std::nullopt;
    return objects::entry{std::string(key), find_.number(0), find_.number(2), find_.number(1)};
}

objects::page object_reads::list(const object_query& query)
{
    const bool resumed = query.after >= query.prefix && !query.after.empty();
    statement& rows = resumed ? list_after_ : list_from_;
    const reset_at_end guard(rows);
    rows.bind(1, resumed ? query.after : query.prefix);
    rows.bind(2, std::uint64_t(query.entries_max) + 1);
    objects::page page;
    std::size_t key_bytes = 0;
    while (rows.step()) {
        std::string key = rows.text(0);
        if (!key.starts_with(query.prefix))
            break;
        key_bytes += key.size();
        // One entry always fits, so that a reader of pages gets on.
        const bool full = page.entries.size() == query.entries_max ||
                          (!page.entries.empty() && key_bytes > query.key_bytes_max);
        if (full) {
            page.more = true;
            break;
        }
        page.entries.push_back({std::move(key), rows.number(1), rows.number(3), rows.number(2)});
    }
    page.revision = revision();
    return page;
}

std::optional<std::vector<std::byte>> object_reads::find_schema(std::uint64_t fingerprint)
{
    const reset_at_end guard(find_schema_);
    find_schema_.bind(1, fingerprint);
    if (!find_schema_.step())
        return std::nullopt;
    const auto schema = find_schema_.bytes(0);
    return std::vector<std::byte>(schema.begin(), schema.end());
}

std::uint64_t object_reads::revision()
{
    const reset_at_end guard(revision_);
    if (!revision_.step())
        throw error(errc::store_corrupt, "the store's revision counter is missing");
    return revision_.number(0);
}

std::optional<objects::object> object_snapshot::get(std::string_view key) const
{
    return reads_.get(key);
}
std::optional<objects::entry> object_snapshot::find(std::string_view key) const
{
    return reads_.find(key);
}
objects::page object_snapshot::list(const object_query& query) const
{
    return reads_.list(query);
}
std::optional<std::vector<std::byte>> object_snapshot::find_schema(std::uint64_t fingerprint) const
{
    return reads_.find_schema(fingerprint);
}
std::uint64_t object_snapshot::revision() const
{
    return reads_.revision();
}

object_transaction::object_transaction(connection& on, std::uint32_t schemas_max)
    : on_(on),
      reads_(on),
      schemas_max_(schemas_max),
      put_(on, "INSERT INTO objects (key, revision, fingerprint, value) VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (key) DO UPDATE SET revision = ?2, fingerprint = ?3, value = ?4"),
      erase_(on, "DELETE FROM objects WHERE key = ?1"),
      has_schema_(on, "SELECT 1 FROM schemas WHERE fingerprint = ?1"),
      count_schemas_(on, "SELECT count(*) FROM schemas"),
      define_(on, "INSERT INTO schemas (fingerprint, schema) VALUES (?1, ?2)"),
      set_revision_(on, "UPDATE store SET revision = ?1")
{}

std::optional<objects::object> object_transaction::get(std::string_view key) const
{
    return reads_.get(key);
}
std::optional<objects::entry> object_transaction::find(std::string_view key) const
{
    return reads_.find(key);
}
objects::page object_transaction::list(const object_query& query) const
{
    objects::page page = reads_.list(query);
    page.revision = revision_;
    return page;
}

std::optional<std::vector<std::byte>>
object_transaction::find_schema(std::uint64_t fingerprint) const
{
    return reads_.find_schema(fingerprint);
}

bool object_transaction::has_schema(std::uint64_t fingerprint)
{
    const reset_at_end guard(has_schema_);
    has_schema_.bind(1, fingerprint);
    return has_schema_.step();
}

std::uint64_t object_transaction::put(std::string_view key, std::span<const std::byte> value,
                                      std::uint64_t fingerprint)
{
    check_open();
    if (fingerprint != 0 && !has_schema(fingerprint))
        throw error(errc::not_found, "no schema has the fingerprint " +
                                         objects::fingerprint_text(fingerprint) +
                                         ": define it first (objects.define)");
    const std::uint64_t revision = next_revision();
    const reset_at_end guard(put_);
    put_.bind(1, key);
    put_.bind(2, revision);
    put_.bind(3, fingerprint);
    put_.bind(4, value);
    put_.step();
    return revision;
}

void object_transaction::define(std::uint64_t fingerprint, std::span<const std::byte> schema)
{
    check_open();
    if (has_schema(fingerprint))
        return;
    const reset_at_end counted(count_schemas_);
    count_schemas_.step();
    if (count_schemas_.number(0) >= schemas_max_)
        throw error(errc::store_full, "it keeps " + std::to_string(schemas_max_) +
                                          " schemas, as many as store.schemas_max allows");
    const reset_at_end guard(define_);
    define_.bind(1, fingerprint);
    define_.bind(2, schema);
    define_.step();
}

std::optional<std::uint64_t> object_transaction::erase(std::string_view key)
{
    if (!reads_.find(key))
        return std::nullopt;
    check_open();
    const std::uint64_t revision = next_revision();
    const reset_at_end guard(erase_);
    erase_.bind(1, key);
    erase_.step();
    return revision;
}

void object_transaction::begin_group()
{
    revision_ = before_group_ = reads_.revision();
}

void object_transaction::end_group()
{
    if (revision_ == before_group_)
        return;
    check_open();
    const reset_at_end guard(set_revision_);
    set_revision_.bind(1, revision_);
    set_revision_.step();
}

std::uint64_t object_transaction::next_revision()
{
    if (revision_ == before_one_) {
        if (revision_ >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            throw error(errc::store_corrupt, "the store's revision counter is at its end");
        ++revision_;
    }
    return revision_;
}

// A change outside of a transaction would commit by itself, at once.
void object_transaction::check_open() const
{
    if (on_.in_autocommit())
        throw error(errc::store_full, "the database gave up the transaction after an error");
}

} // namespace wharf::sqlite
