// Stores the machine's package database as typed objects, reads it back and compares every field.
#include "catalogue_journal.hpp"
#include "dpkg_status.hpp"

#include <wharf/client.hpp>
#include <wharf/stored_objects.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using dpkg::package;
namespace objects = wharf::objects;

struct settings {
    std::string endpoint;
    std::string file = "/var/lib/dpkg/status";
    std::string journal;
    unsigned in_flight = 128;
    bool verify_only = false;
};

// A daemon's words may hold anything.
std::string printable(std::string text)
{
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    return text;
}

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("cannot read " + path);
    std::string text;
    char block[1 << 16];
    while (file.read(block, sizeof block) || file.gcount() != 0) {
        text.append(block, static_cast<std::size_t>(file.gcount()));
        if (text.size() > dpkg::file_bytes_max)
            throw std::runtime_error(path + " is larger than " +
                                     std::to_string(dpkg::file_bytes_max) + " bytes");
    }
    return text;
}

// One line on a terminal that says how far it is; nothing elsewhere.
class progress {
public:
    progress(const char* what, std::size_t total)
        : what_(what), total_(total), shown_(::isatty(STDERR_FILENO) != 0)
    {}
    ~progress()
    {
        if (shown_)
            std::fputs("\r\033[K", stderr);
    }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    void step()
    {
        const std::size_t percent = ++done_ * 100 / total_;
        if (!shown_ || percent == percent_)
            return;
        percent_ = percent;
        const std::string bar(percent / 2, '#');
        std::fprintf(stderr, "\r%s [%-50s] %3zu%%", what_, bar.c_str(), percent);
    }

private:
    const char* what_;
    std::size_t total_, done_ = 0, percent_ = 101;
    bool shown_;
};

// Calls for each of `count` items, a number of them in flight; stops at the first that fails.
class pipeline {
public:
    pipeline(boost::asio::io_context& context, wharf::client& client, unsigned in_flight)
        : context_(context), client_(client), in_flight_(in_flight)
    {}

    /// `one(i)` is an awaitable that returns the bytes of the value it moved.
    template <class One>
    void run(const char* what, std::size_t count, One one)
    {
        std::size_t next = 0, bytes = 0;
        std::exception_ptr first;
        progress bar(what, count);
        auto work = [&]() -> awaitable<void> {
            while (next < count && !first) {
                auto call = one(next++);
                bytes += co_await std::move(call);
                bar.step();
            }
        };
        // The first failure ends the calls of the others, whose own errors say nothing more.
        auto done = [&](std::exception_ptr failure) {
            if (failure && !first) {
                first = failure;
                client_.close();
            }
        };
        const auto begin = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < std::min<std::size_t>(in_flight_, count); ++i)
            boost::asio::co_spawn(context_, work(), done);
        context_.restart();
        context_.run();
        if (first)
            std::rethrow_exception(first);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        std::printf("%s: %zu objects, %zu bytes, %.3f s, %.0f calls/s\n", what, count, bytes,
                    took.count(), static_cast<double>(count) / took.count());
    }

private:
    boost::asio::io_context& context_;
    wharf::client& client_;
    unsigned in_flight_;
};

void store_and_compare(const settings& s, wharf::client& client, pipeline& calls)
{
    const std::string text = read_file(s.file);
    const std::vector<package> packages = dpkg::parse_status(text);
    std::printf("%s: %zu packages, %zu bytes\n", s.file.c_str(), packages.size(), text.size());
    if (packages.empty())
        throw std::runtime_error(s.file + " has no packages");
    catalogue::journal_writer journal(s.journal);

    calls.run("put", packages.size(), [&](std::size_t i) -> awaitable<std::size_t> {
        const objects::put command = objects::make_put(dpkg::key_of(packages[i]), packages[i]);
        // The first packages of a new store tell it what a package is; wharfctl shows them as JSON.
        co_await objects::async_write<package>(client, command);
        journal.append(command.key, catalogue::digest_of(command.value));
        co_return command.value.size();
    });
    calls.run("get", packages.size(), [&](std::size_t i) -> awaitable<std::size_t> {
        const objects::get command{dpkg::key_of(packages[i])};
        const objects::object found = co_await client.async_call(command);
        const auto back = objects::value_as<package>(found);
        const std::string field = dpkg::first_difference(packages[i], back);
        if (!field.empty())
            throw std::runtime_error(command.key + ": field " + field + " came back changed");
        co_return found.value.size();
    });
    std::printf("%zu packages compared field by field: all equal\n", packages.size());
}

void verify(const settings& s, wharf::client& client, pipeline& calls)
{
    const std::vector<catalogue::journal_line> lines = catalogue::read_journal(s.journal);
    if (lines.empty())
        throw std::runtime_error(s.journal + " names no acknowledged object");
    calls.run("verify", lines.size(), [&](std::size_t i) -> awaitable<std::size_t> {
        const objects::get command{lines[i].key};
        const objects::object found = co_await client.async_call(command);
        if (catalogue::digest_of(found.value) != lines[i].digest)
            throw std::runtime_error(command.key + ": not the value that was acknowledged");
        const auto back = objects::value_as<package>(found);
        if (dpkg::key_of(back) != command.key)
            throw std::runtime_error(command.key + ": holds " + dpkg::key_of(back));
        co_return found.value.size();
    });
    std::printf("%zu acknowledged objects are there, each with its value\n", lines.size());
}

int run(const settings& s)
{
    boost::asio::io_context context;
    wharf::client_options options;
    options.software = "package_catalogue";
    wharf::client client(context, s.endpoint, options);
    pipeline calls(context, client, s.in_flight);
    if (s.verify_only)
        verify(s, client, calls);
    else
        store_and_compare(s, client, calls);
    return 0;
}

} // namespace

int main(int argc, char** argv)
try {
    settings s;
    CLI::App app("Stores the package database of this machine as objects and compares them.");
    app.add_option("--endpoint", s.endpoint, "where the daemon is; default: WHARF_ENDPOINT");
    app.add_option("--file", s.file, "the status file")->capture_default_str();
    app.add_option("--in-flight", s.in_flight, "calls in flight")
        ->capture_default_str()
        ->check(CLI::Range(1u, 1000u));
    auto* journal = app.add_option("--journal", s.journal,
                                   "append each acknowledged object to this file; with "
                                   "--verify-only: what must be there");
    app.add_flag("--verify-only", s.verify_only, "store nothing: look for what the journal names")
        ->needs(journal);
    CLI11_PARSE(app, argc, argv);
    return run(s);
}
catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "package_catalogue: %s\n", printable(e.what()).c_str());
    return 1;
}
