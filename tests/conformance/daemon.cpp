// The daemon of the conformance script: what each kind of call is, and nothing else.
#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/daemon.hpp>
#include <wharf/service.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/serialization/nvp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace asio = boost::asio;

namespace {

struct everything {
    std::string text = "default";
    std::int64_t number = 0;
    std::uint64_t natural = 0;
    double real = 0;
    bool flag = false;
    std::vector<std::int32_t> list;
    std::map<std::string, std::uint8_t> names;
    std::vector<std::byte> bytes;
    std::optional<std::string> maybe;
    std::variant<std::int32_t, std::string> either;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(text) & BOOST_SERIALIZATION_NVP(number) &
            BOOST_SERIALIZATION_NVP(natural) & BOOST_SERIALIZATION_NVP(real) &
            BOOST_SERIALIZATION_NVP(flag) & BOOST_SERIALIZATION_NVP(list) &
            BOOST_SERIALIZATION_NVP(names) & BOOST_SERIALIZATION_NVP(bytes) &
            BOOST_SERIALIZATION_NVP(maybe) & BOOST_SERIALIZATION_NVP(either);
    }
};

/// Answers with what it was given.
struct echo {
    using reply = everything;
    static constexpr std::string_view name = "test.echo";
    everything value;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(value);
    }
};

struct say {
    using reply = std::string;
    static constexpr std::string_view name = "test.say";
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(text);
    }
};

struct nothing {
    using reply = void;
    static constexpr std::string_view name = "test.nothing";
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// Answers with this error.
struct fail {
    using reply = void;
    static constexpr std::string_view name = "test.fail";
    std::uint16_t number = 0;
    std::string text;
    std::uint32_t retry_ms = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number) & BOOST_SERIALIZATION_NVP(text) &
            BOOST_SERIALIZATION_NVP(retry_ms);
    }
};

/// Is in flight until its caller gives it up.
struct wait {
    using reply = void;
    static constexpr std::string_view name = "test.wait";
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// Answers once so many calls of `wait` and `count` were given up, since the last of these.
struct given_up {
    using reply = std::uint32_t;
    static constexpr std::string_view name = "test.given_up";
    std::uint32_t count = 1;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(count);
    }
};

/// Streams `count` numbers; then it fails, or ends.
struct count {
    using reply = wharf::stream_of<std::uint32_t>;
    static constexpr std::string_view name = "test.count";
    std::uint32_t count = 0;
    bool fails = false;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("count", count) & BOOST_SERIALIZATION_NVP(fails);
    }
};

/// Answers with the sum of what is uploaded.
struct sum {
    using upload = wharf::stream_of<std::int64_t>;
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.sum";
    std::int64_t from = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(from);
    }
};

/// Sends back what is uploaded, and the length of each.
struct mirror {
    struct item {
        std::string text;
        std::uint64_t length = 0;
        template <class Archive>
        void serialize(Archive& ar, unsigned /*version*/)
        {
            ar& BOOST_SERIALIZATION_NVP(text) & BOOST_SERIALIZATION_NVP(length);
        }
    };
    using upload = wharf::stream_of<std::string>;
    using reply = wharf::stream_of<item>;
    static constexpr std::string_view name = "test.mirror";
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// Counts what was given up. It belongs to one thread: the daemon runs with one.
class counter {
public:
    void add()
    {
        ++count_;
        if (waiting_ != nullptr)
            waiting_->cancel();
    }
    /// Takes them once there are so many.
    wharf::awaitable<std::uint32_t> take(std::uint32_t at_least, asio::any_io_executor executor)
    {
        asio::steady_timer never(executor, asio::steady_timer::time_point::max());
        waiting_ = &never;
        while (count_ < at_least) {
            wharf::error_code ignored;
            co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        waiting_ = nullptr;
        co_return std::exchange(count_, 0);
    }

private:
    std::uint32_t count_ = 0;
    asio::steady_timer* waiting_ = nullptr;
};

/// Says when its scope is left by a call that was given up.
struct watch {
    counter& tell;
    wharf::call& of;
    ~watch()
    {
        if (of.is_cancelled())
            tell.add();
    }
};

wharf::awaitable<void> wait_until_given_up(wharf::call& current, counter& tell)
{
    const watch at_end{tell, current};
    asio::steady_timer never(current.get_executor(), asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

wharf::awaitable<void> send_numbers(count c, wharf::call& current, wharf::sink<std::uint32_t>& to,
                                    counter& tell)
{
    const watch at_end{tell, current};
    for (std::uint32_t i = 0; i < c.count; ++i)
        co_await to.async_send(i);
    if (c.fails)
        throw wharf::error(wharf::errc::conflict, "after " + std::to_string(c.count));
}

wharf::awaitable<std::int64_t> add_up(sum c, wharf::source<std::int64_t>& from)
{
    std::int64_t total = c.from;
    while (const std::optional<std::int64_t> each = co_await from.async_next())
        total += *each;
    co_return total;
}

wharf::awaitable<void> send_back(wharf::source<std::string>& from, wharf::sink<mirror::item>& to)
{
    while (std::optional<std::string> each = co_await from.async_next()) {
        mirror::item item;
        item.length = each->size();
        item.text = std::move(*each);
        co_await to.async_send(item);
    }
}

struct conformance {
    void serve(wharf::router& commands)
    {
        commands.on<echo>([](const echo& c) -> const everything& { return c.value; });
        commands.on<say>([](const say& c) -> const std::string& { return c.text; });
        commands.on<nothing>([](const nothing&) {});
        commands.on<fail>([](const fail& c) {
            throw wharf::error(wharf::errc(c.number), c.text,
                               std::chrono::milliseconds(c.retry_ms));
        });
        const auto tell = std::make_shared<counter>();
        commands.on<wait>([tell](wait, wharf::call& current) -> wharf::awaitable<void> {
            return wait_until_given_up(current, *tell);
        });
        commands.on<given_up>(
            [tell](given_up c, wharf::call& current) -> wharf::awaitable<std::uint32_t> {
                return tell->take(c.count, current.get_executor());
            });
        commands.on<count>([tell](count c, wharf::call& current,
                                  wharf::sink<std::uint32_t>& to) -> wharf::awaitable<void> {
            return send_numbers(c, current, to, *tell);
        });
        commands.on<sum>(
            [](sum c, wharf::source<std::int64_t>& from) -> wharf::awaitable<std::int64_t> {
                return add_up(c, from);
            });
        commands.on<mirror>([](mirror, wharf::source<std::string>& from,
                               wharf::sink<mirror::item>& to) -> wharf::awaitable<void> {
            return send_back(from, to);
        });
    }
};

} // namespace

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(conformance{});
    return daemon.run();
}
