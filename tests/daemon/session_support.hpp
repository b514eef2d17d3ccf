// What the tests of sessions share: handlers that wait, a healthy client beside, and the log.
#pragma once

#include "support.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/serialization/version.hpp>
#include <boost/test/unit_test.hpp>

#include <mutex>

#include <sys/mman.h>

namespace wharf::test {

/// A command whose class has a version, as both sides know it: 2.
struct versioned {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.versioned";
    std::int32_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& number;
    }
};

/// A reply that gives up in the middle of being stored.
struct half {
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
        if constexpr (Archive::is_saving::value)
            throw error(errc::conflict, "half way");
    }
};
struct give_half {
    using reply = half;
    static constexpr std::string_view name = "test.half";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

} // namespace wharf::test

BOOST_CLASS_VERSION(wharf::test::versioned, 2)

namespace wharf::test {

/// echo, answered by a handler that awaits.
struct echo_late {
    using reply = std::string;
    static constexpr std::string_view name = "test.echo_late";
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
};

/// Handlers that await wait here until the test lets them go.
class gate {
public:
    awaitable<void> pass(boost::asio::any_io_executor executor)
    {
        auto timer =
            std::make_shared<boost::asio::steady_timer>(executor, clock::time_point::max());
        {
            const std::lock_guard lock(mutex_);
            if (is_open_)
                co_return;
            waiting_.push_back(timer);
        }
        error_code ignored;
        co_await timer->async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    void open()
    {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        for (const auto& each : waiting_)
            if (const auto t = each.lock())
                boost::asio::post(t->get_executor(), [t] { t->cancel(); });
        waiting_.clear();
    }
    std::size_t waiting()
    {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    std::mutex mutex_;
    bool is_open_ = false;
    /// Of coroutines that a server may destroy with its loop, before the gate.
    std::vector<std::weak_ptr<boost::asio::steady_timer>> waiting_;
};

/// add and fill await the gate, poke throws, echo says who calls.
struct gated_service {
    std::shared_ptr<gate> door;
    void serve(router& commands)
    {
        commands.on<add>([door = door](add c, call& current) -> awaitable<std::int64_t> {
            co_await door->pass(current.get_executor());
            co_return c.a + c.b;
        });
        commands.on<fill>([door = door](const fill& c, call& current) -> awaitable<std::string> {
            co_await door->pass(current.get_executor());
            co_return std::string(c.bytes, 'x');
        });
        commands.on<poke>([door = door](poke c, call& current) -> awaitable<void> {
            co_await door->pass(current.get_executor());
            if (c.how == 1)
                throw error(errc::conflict, std::string(1000, 'c'));
            if (c.how == 2)
                throw std::runtime_error("secret");
        });
        commands.on<echo_late>([door = door](echo_late c, call& current) -> awaitable<std::string> {
            co_await door->pass(current.get_executor());
            co_return std::move(c.text);
        });
        commands.on<echo>([](const echo&, call& current) { return current.peer().address; });
        commands.on<versioned>([](const versioned& c) { return c.number; });
        commands.on<give_half>([](const give_half&) { return half{std::string(1000, 'h')}; });
    }
};

/// A server and a well-behaved client beside whatever the test does.
struct scene {
    explicit scene(server_options o = open_options()) : s(std::move(o))
    {
        s.serve(basic_service{});
        s.start();
        healthy.emplace(s.endpoints().at(0));
        BOOST_REQUIRE(healthy->ask(add{1, 1}).as<std::int64_t>() == 2);
    }
    /// The client that does nothing wrong has not noticed.
    void check_healthy() { BOOST_TEST(healthy->ask(add{20, 22}).as<std::int64_t>() == 42); }
    endpoint where() const { return s.endpoints().at(0); }
    bool is_alone()
    {
        return eventually([&] { return s.status().sessions == 1; });
    }
    server s;
    std::optional<peer> healthy;
};

struct gated_scene {
    explicit gated_scene(server_options o = open_options()) : s(std::move(o))
    {
        s.serve(gated_service{door});
        s.start();
    }
    ~gated_scene() { door->open(); }
    std::shared_ptr<gate> door = std::make_shared<gate>();
    server s;
};

/// What is logged while it lives: without a sink, records go to stderr at once.
class captured_log {
public:
    captured_log() : saved_(::dup(2)), file_(::memfd_create("log", MFD_CLOEXEC))
    {
        ::dup2(file_.get(), 2);
    }
    ~captured_log() { ::dup2(saved_.get(), 2); }
    std::size_t count(std::string_view what) const
    {
        std::string text(1 << 20, '\0');
        const ssize_t n = ::pread(file_.get(), text.data(), text.size(), 0);
        text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
        std::size_t found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    }
    bool says(std::string_view what) const
    {
        return eventually([&] { return count(what) != 0; });
    }

private:
    owned_fd saved_, file_;
};

/// All that a conversation has to say, taken out of it.
inline std::string take_unsent(conversation& words)
{
    std::string all;
    while (!words.unsent().empty()) {
        const auto part = words.unsent();
        all.append(reinterpret_cast<const char*>(part.data()), part.size());
        words.sent(part.size());
    }
    return all;
}

inline void send_all(int fd, std::string_view bytes)
{
    BOOST_REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(bytes.size()));
}

} // namespace wharf::test
