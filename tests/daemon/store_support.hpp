// What the store's tests share: a scratch directory, and calls that wait for their answer.
#pragma once

#include <wharf/store.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <stdlib.h>

namespace store_test {

/// A fresh directory, removed at the end.
class scratch {
public:
    scratch()
    {
        std::string name = (std::filesystem::temp_directory_path() / "wharf-store-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    ~scratch()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    const std::string& path() const { return path_; }
    std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
    std::string path_;
};

inline wharf::store_options options_for(const std::string& directory)
{
    wharf::store_options options;
    options.directory = directory;
    options.busy_timeout = std::chrono::milliseconds(50);
    options.cache_bytes = 1u << 20;
    return options;
}

inline std::vector<std::byte> bytes(std::string_view text)
{
    const auto view = std::as_bytes(std::span(text.data(), text.size()));
    return {view.begin(), view.end()};
}

/// Runs one coroutine to its end on an io_context of its own and returns or throws its result.
template <class T>
T wait_for(boost::asio::awaitable<T> what)
{
    boost::asio::io_context context;
    std::future<T> result =
        boost::asio::co_spawn(context, std::move(what), boost::asio::use_future);
    context.run();
    return result.get();
}

inline std::uint64_t put(wharf::store& to, std::string_view key, std::string_view value)
{
    const auto content = bytes(value);
    auto change = [&](wharf::transaction& t) { return t.put(key, content); };
    return wait_for(to.async_transact(change));
}

inline std::optional<std::string> get(wharf::store& from, std::string_view key)
{
    auto look = [&](const wharf::snapshot& s) -> std::optional<std::string> {
        const auto found = s.get(key);
        if (!found)
            return std::nullopt;
        return std::string(reinterpret_cast<const char*>(found->value.data()), found->value.size());
    };
    return wait_for(from.async_read(look));
}

/// The code and text of the error that f throws; errc{} and "" when it throws none.
struct failure {
    wharf::errc code{};
    std::string text;
};
template <class F>
failure failure_of(F f)
{
    try {
        f();
    }
    catch (const wharf::error& e) {
        return {e.code(), e.text()};
    }
    return {};
}
inline bool says(const failure& f, std::string_view words)
{
    return f.text.find(words) != std::string::npos;
}

} // namespace store_test
