// SQLite's connection and statement as owners, and its result codes as errc.
#include "store_sqlite_connection.hpp"

#include <wharf/error.hpp>

#include <cerrno>
#include <new>

#include <sqlite3.h>

namespace wharf::sqlite {
namespace {

errc to_errc(int code, int system)
{
    switch (code & 0xff) {
    case SQLITE_FULL: return errc::store_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: // the locks of the log could not be had in time
        return errc::store_busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::store_corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return errc::access_denied;
    case SQLITE_CANTOPEN:
        return system == EACCES || system == EPERM || system == EROFS ? errc::access_denied
                                                                      : errc::store_failed;
    case SQLITE_IOERR:
        // A sync that fails means lost pages whatever the reason; elsewhere a quota is a full disk.
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
            return errc::store_failed;
        return system == ENOSPC || system == EDQUOT ? errc::store_full : errc::store_failed;
    default: return errc::store_failed;
    }
}

constexpr std::string_view advice(errc code)
{
    switch (code) {
    case errc::store_full: return ": free some space; changes work again then";
    case errc::store_busy:
        return ": another process holds the database, for example an open sqlite3 shell";
    case errc::access_denied: return ": give the file and its directory to the daemon's user";
    default: return "";
    }
}

} // namespace

connection::connection(const std::string& path, mode how, const store_options& options)
    : path_(path)
{
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (how == mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                               : SQLITE_OPEN_READWRITE);
    const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
    try {
        if (handle_ == nullptr)
            throw std::bad_alloc();
        if (code != SQLITE_OK)
            fail(code);
        sqlite3_busy_timeout(handle_, static_cast<int>(options.busy_timeout.count()));
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        execute(("PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024)).c_str());
        execute("PRAGMA cell_size_check=ON");
        execute("PRAGMA temp_store=MEMORY");
        // A mapped file turns an I/O error into a signal.
        execute("PRAGMA mmap_size=0");
        // A reader opens read-write because it may have to recover the log's index; it never
        // writes.
        if (how == mode::read_only)
            execute("PRAGMA query_only=ON");
    }
    catch (...) {
        sqlite3_close_v2(handle_);
        throw;
    }
}

connection::~connection()
{
    sqlite3_close_v2(handle_);
}

void connection::execute(const char* sql)
{
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        fail(code);
}

std::string connection::text(const char* sql)
{
    statement query(*this, sql);
    return query.step() ? query.text(0) : std::string();
}

bool connection::in_autocommit() const noexcept
{
    return sqlite3_get_autocommit(handle_) != 0;
}

void connection::fail(int code) const
{
    if ((code & 0xff) == SQLITE_NOMEM)
        throw std::bad_alloc();
    const errc meaning = to_errc(code, sqlite3_system_errno(handle_));
    std::string text = path_ + ": " + sqlite3_errstr(code);
    if (meaning == errc::store_failed)
        text += " (" + std::to_string(code) + ", " + sqlite3_errmsg(handle_) + ")";
    if (meaning == errc::store_corrupt)
        text += ": stop the daemon, then restore a backup of the directory, or move the file away "
                "and save what is readable by `sqlite3 MOVED_FILE .recover | sqlite3 " +
                path_ + "`";
    text += advice(meaning);
    throw error(meaning, std::move(text));
}

statement::statement(connection& on, const char* sql) : on_(on)
{
    const int code =
        sqlite3_prepare_v3(on.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
    if (code != SQLITE_OK)
        on.fail(code);
}

statement::~statement()
{
    sqlite3_finalize(handle_);
}

void statement::bind(int index, std::span<const std::byte> bytes)
{
    // A null pointer would bind NULL, which is not an empty value.
    const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
    const int code = sqlite3_bind_blob64(handle_, index, data, bytes.size(), SQLITE_STATIC);
    if (code == SQLITE_TOOBIG)
        throw error(errc::bad_argument, "a value of " + std::to_string(bytes.size()) +
                                            " bytes is larger than the database takes");
    if (code != SQLITE_OK)
        on_.fail(code);
}

void statement::bind(int index, std::string_view bytes)
{
    bind(index, std::as_bytes(std::span(bytes.data(), bytes.size())));
}

void statement::bind(int index, std::uint64_t number)
{
    const int code = sqlite3_bind_int64(handle_, index, static_cast<sqlite3_int64>(number));
    if (code != SQLITE_OK)
        on_.fail(code);
}

bool statement::step()
{
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW)
        return true;
    reset();
    if (code == SQLITE_DONE)
        return false;
    if (code == SQLITE_TOOBIG)
        throw error(errc::bad_argument, "the row is larger than the database takes");
    on_.fail(code);
}

void statement::reset() noexcept
{
    sqlite3_reset(handle_);
}

std::uint64_t statement::number(int column) const
{
    return static_cast<std::uint64_t>(sqlite3_column_int64(handle_, column));
}

std::span<const std::byte> statement::bytes(int column) const
{
    const void* data = sqlite3_column_blob(handle_, column);
    const int size = sqlite3_column_bytes(handle_, column);
    if (data == nullptr && sqlite3_errcode(on_.get()) == SQLITE_NOMEM)
        throw std::bad_alloc();
    return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

std::string statement::text(int column) const
{
    const auto view = bytes(column);
    return {reinterpret_cast<const char*>(view.data()), view.size()};
}

} // namespace wharf::sqlite
