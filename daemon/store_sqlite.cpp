// The embedded engine of the store: opening and checking the database, groups and checkpoints.
#include "store_sqlite.hpp"

#include "log_events.hpp"
#include "store_claim.hpp"
#include "store_sqlite_connection.hpp"
#include "store_sqlite_objects.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace wharf {
namespace {

using sqlite::connection;
using sqlite::statement;

// "WHRF": `file` and this program tell the database from others by it.
constexpr std::uint32_t application_id = 0x57485246;
// The version of the tables below.
constexpr std::uint32_t format_version = 2;

// The value stands last: a list then reads no overflow pages. Keys are blobs, ordered by bytes. A
// fingerprint is 0 or in `schemas`.
constexpr const char* table_of_objects =
    "CREATE TABLE objects (key BLOB PRIMARY KEY NOT NULL, revision INTEGER NOT NULL,"
    " fingerprint INTEGER NOT NULL, value BLOB NOT NULL);";
constexpr const char* table_of_schemas =
    "CREATE TABLE schemas (fingerprint INTEGER PRIMARY KEY, schema BLOB NOT NULL);";
constexpr const char* table_of_store =
    "CREATE TABLE store (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),"
    " revision INTEGER NOT NULL);"
    "INSERT INTO store VALUES (1, 0);";

void execute(connection& on, const std::string& sql)
{
    on.execute(sql.c_str());
}

void require(connection& on, const char* pragma, std::string_view expected)
{
    const std::string found = on.text(pragma);
    if (found != expected)
        throw error(errc::store_failed, on.path() + ": " + pragma + " gives " + found + ", not " +
                                            std::string(expected) +
                                            ": is the directory on a local file system?");
}

// Our umask says nothing about objects: they are the daemon's own. The log and its index, which
// SQLite creates, get the same permissions as the database.
void create_private(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ::close(fd);
        return;
    }
    const int number = errno;
    const std::string text = path + ": " + std::generic_category().message(number);
    if (number == EACCES || number == EPERM || number == EROFS)
        throw error(errc::access_denied, text + ": give it to the daemon's user");
    throw error(number == ENOSPC || number == EDQUOT ? errc::store_full : errc::store_failed, text);
}

// A database that lost its content while its log has some would be taken for a new one, and its
// log deleted.
void check_not_emptied(const std::string& path)
{
    std::error_code ignored;
    const auto database = std::filesystem::file_size(path, ignored);
    const auto log = std::filesystem::file_size(path + "-wal", ignored);
    if (database == 0 && !ignored && log != 0)
        throw error(errc::store_corrupt,
                    path + " is empty, but its log is not: restore a backup of the directory");
}

// Is this ours? Nothing is written before that is known. Gives the version of its tables, 0 where
// it is new.
std::uint32_t identify(connection& on)
{
    const std::string id = on.text("PRAGMA application_id");
    const std::string version = on.text("PRAGMA user_version");
    if (id == "0" && version == "0" && on.text("SELECT count(*) FROM sqlite_schema") == "0")
        return 0;
    if (id != std::to_string(application_id))
        throw error(errc::store_failed,
                    on.path() + " belongs to another program (application_id " + id +
                        "): use another state directory, or move the file away");
    if (version != "1" && version != std::to_string(format_version))
        throw error(errc::store_failed, on.path() + " has format " + version +
                                            ", this program knows 1 to " +
                                            std::to_string(format_version) +
                                            ": run the wharfd that wrote it, or restore a backup "
                                            "from before its upgrade");
    return static_cast<std::uint32_t>(std::stoul(version));
}

void check_pages(connection& on, const store_options& options)
{
    const auto bytes =
        std::stoull(on.text("PRAGMA page_count")) * std::stoull(on.text("PRAGMA page_size"));
    if (bytes > options.check_bytes_max) {
        log::write(log::level::notice, log::store_unchecked,
                   "the database is too large to be checked at the start",
                   {{"BYTES", std::to_string(bytes)}});
        return;
    }
    const std::string verdict = on.text("PRAGMA quick_check(1)");
    if (verdict != "ok") {
        log::write(log::level::error, log::store_damaged, "the database is damaged",
                   {{"REASON", verdict}});
        on.fail(SQLITE_CORRUPT);
    }
}

void set_durable(connection& on, const store_options& options)
{
    require(on, "PRAGMA journal_mode=WAL", "wal");
    on.execute("PRAGMA synchronous=FULL");
    require(on, "PRAGMA synchronous", "2");
    execute(on, "PRAGMA journal_size_limit=" + std::to_string(options.wal_bytes));
}

void create_tables(connection& on)
{
    on.execute("BEGIN IMMEDIATE");
    on.execute(table_of_objects);
    on.execute(table_of_schemas);
    on.execute(table_of_store);
    execute(on, "PRAGMA application_id=" + std::to_string(application_id));
    execute(on, "PRAGMA user_version=" + std::to_string(format_version));
    on.execute("COMMIT");
}

// Objects of version 1 have no fingerprint. They are copied rather than given a column behind their
// values, which lists would have to read past. A process that dies meanwhile leaves version 1.
void upgrade_tables(connection& on)
{
    log::write(log::level::notice, log::store_upgraded, "upgrading the database",
               {{"FROM", "1"}, {"TO", std::to_string(format_version)}});
    on.execute("BEGIN IMMEDIATE");
    on.execute("ALTER TABLE objects RENAME TO objects_1");
    on.execute(table_of_objects);
    on.execute("INSERT INTO objects SELECT key, revision, 0, value FROM objects_1 ORDER BY key");
    on.execute("DROP TABLE objects_1");
    on.execute(table_of_schemas);
    execute(on, "PRAGMA user_version=" + std::to_string(format_version));
    on.execute("COMMIT");
}

class sqlite_writer final : public store_writer {
public:
    sqlite_writer(const std::string& path, const store_options& options)
        : on_(path, connection::mode::read_write, options), options_(options)
    {
        const std::uint32_t version = identify(on_);
        set_durable(on_, options);
        if (version == 0)
            create_tables(on_);
        else
            check_pages(on_, options);
        if (version == 1)
            upgrade_tables(on_);
        page_bytes_ = std::stoull(on_.text("PRAGMA page_size"));
        if (options.database_bytes_max != 0)
            execute(on_,
                    "PRAGMA max_page_count=" + std::to_string(std::max<std::uint64_t>(
                                                   options.database_bytes_max / page_bytes_, 1)));
        // The log is folded in tidy(), after the callers have their answers.
        sqlite3_wal_hook(on_.get(), &note_log_pages, this);
        next_fold_ = options_.wal_bytes;
        view_.emplace(on_, options_.schemas_max);
        begin_.emplace(on_, "BEGIN IMMEDIATE");
        savepoint_.emplace(on_, "SAVEPOINT one");
        release_.emplace(on_, "RELEASE one");
        undo_.emplace(on_, "ROLLBACK TO one");
        commit_.emplace(on_, "COMMIT");
        rollback_.emplace(on_, "ROLLBACK");
    }

    void begin() override
    {
        begin_->step();
        view_->begin_group();
    }
    transaction& begin_one() override
    {
        savepoint_->step();
        view_->begin_one();
        return *view_;
    }
    void keep_one() override
    {
        if (on_.in_autocommit())
            throw error(errc::store_full, "the database gave up the transaction after an error");
        release_->step();
    }
    bool undo_one() override
    {
        view_->undo_one();
        if (on_.in_autocommit())
            return false;
        undo_->step();
        release_->step();
        return true;
    }
    void commit() override
    {
        view_->end_group();
        commit_->step();
    }
    void rollback() noexcept override
    {
        try {
            if (!on_.in_autocommit())
                rollback_->step();
        }
        catch (...) {
            // A rollback that fails leaves the transaction open; the next begin() then fails.
        }
    }
    bool tidy() override
    {
        const std::size_t bytes = log_pages_ * page_bytes_;
        if (bytes < options_.wal_bytes)
            next_fold_ = options_.wal_bytes; // it began anew
        if (bytes < next_fold_)
            return false;
        next_fold_ = bytes + options_.wal_bytes;
        // Readers may keep the log from beginning anew. Past a few times its size they are waited
        // for: new ones read from the database meanwhile, so the wait is short.
        const bool wait = bytes >= 4 * options_.wal_bytes;
        int in_log = 0, folded = 0;
        const int code = sqlite3_wal_checkpoint_v2(
            on_.get(), "main", wait ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
            &in_log, &folded);
        if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
            on_.fail(code);
        if (wait && code == SQLITE_OK)
            log_pages_ = 0;
        return code == SQLITE_OK && in_log == folded;
    }

private:
    static int note_log_pages(void* self, sqlite3*, const char*, int pages)
    {
        static_cast<sqlite_writer*>(self)->log_pages_ = static_cast<std::size_t>(pages);
        return SQLITE_OK;
    }

    connection on_;
    const store_options options_;
    std::size_t page_bytes_ = 0, log_pages_ = 0, next_fold_ = 0;
    std::optional<sqlite::object_transaction> view_;
    std::optional<statement> begin_, savepoint_, release_, undo_, commit_, rollback_;
};

class sqlite_reader final : public store_reader {
public:
    sqlite_reader(const std::string& path, const store_options& options)
        : on_(path, connection::mode::read_only, options),
          view_(on_),
          begin_(on_, "BEGIN"),
          end_(on_, "ROLLBACK")
    {}
    const snapshot& begin() override
    {
        begin_.step();
        return view_;
    }
    void end() noexcept override
    {
        try {
            if (!on_.in_autocommit())
                end_.step();
        }
        catch (...) {
            // Nothing was changed; the next begin() reports what is wrong.
        }
    }

private:
    connection on_;
    sqlite::object_snapshot view_;
    statement begin_, end_;
};

class sqlite_engine final : public store_engine {
public:
    explicit sqlite_engine(const store_options& options)
        : options_(options), claim_(options.directory), path_(options.directory + "/wharf.db")
    {
        create_private(path_);
        check_not_emptied(path_);
    }
    std::unique_ptr<store_writer> open_writer() override
    {
        return std::make_unique<sqlite_writer>(path_, options_);
    }
    std::unique_ptr<store_reader> open_reader() override
    {
        return std::make_unique<sqlite_reader>(path_, options_);
    }
    std::vector<std::pair<std::string, std::string>> describe() const override
    {
        std::error_code ignored;
        const auto size = std::filesystem::file_size(path_, ignored);
        return {{"engine", std::string("SQLite ") + sqlite3_libversion()},
                {"directory", options_.directory},
                {"database", path_},
                {"database_bytes", ignored ? "unknown" : std::to_string(size)}};
    }

private:
    const store_options options_;
    store_claim claim_;
    std::string path_;
};

} // namespace

std::unique_ptr<store_engine> open_sqlite(const store_options& options)
{
    return std::make_unique<sqlite_engine>(options);
}

} // namespace wharf
