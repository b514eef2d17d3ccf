// SQLite's connection and statement as owners, and its result codes as errc.
#pragma once

#include <wharf/store.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace wharf::sqlite {

/// One connection. Used by one thread at a time.
class connection {
public:
    enum class mode { read_write, read_only };
    /// Opens the file, creating it with read_write. Throws error.
    connection(const std::string& path, mode how, const store_options& options);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void execute(const char* sql);
    /// The first column of the first row, as text.
    std::string text(const char* sql);
    /// Is there no transaction? SQLite ends one by itself after some errors.
    bool in_autocommit() const noexcept;
    /// Throws what the result code of the last call means.
    [[noreturn]] void fail(int code) const;

    sqlite3* get() const noexcept { return handle_; }
    const std::string& path() const noexcept { return path_; }

private:
    sqlite3* handle_ = nullptr;
    std::string path_;
};

/// A prepared statement. The connection must outlive it.
class statement {
public:
    statement(connection& on, const char* sql);
    ~statement();
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;

    /// Binds the parameter of an index from 1. Bytes must stay until reset().
    void bind(int index, std::span<const std::byte> bytes);
    void bind(int index, std::string_view bytes);
    void bind(int index, std::uint64_t number);
    /// Steps to the next row; false when there is none. Throws error after resetting.
    bool step();
    void reset() noexcept;

    std::uint64_t number(int column) const;
    /// Valid until the next step() or reset().
    std::span<const std::byte> bytes(int column) const;
    std::string text(int column) const;

private:
    connection& on_;
    sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement at the end of a scope, so that it holds no lock and no caller's bytes.
class reset_at_end {
public:
    explicit reset_at_end(statement& s) noexcept : statement_(s) {}
    ~reset_at_end() { statement_.reset(); }
    reset_at_end(const reset_at_end&) = delete;
    reset_at_end& operator=(const reset_at_end&) = delete;

private:
    statement& statement_;
};

} // namespace wharf::sqlite
