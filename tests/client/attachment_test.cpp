// Attachments from a client to a server and back, by each way that a call can take.
#include <wharf/attachment.hpp>
#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>
#include <wharf/server.hpp>
#include <wharf/service.hpp>

#include "client_fixture.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <mutex>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run;
using wharf::attachment;

namespace {

constexpr std::size_t large = 1u << 20;
/// Far less than an attachment: whatever copies one is refused.
constexpr std::size_t decode_memory = 100u << 10;

struct store {
    using reply = attachment;
    static constexpr std::string_view name = "test.store";
    std::int64_t place{};
    attachment bytes;
};
struct store_late {
    using reply = attachment;
    static constexpr std::string_view name = "test.store_late";
    std::int64_t place{};
    attachment bytes;
};
struct store_blocking {
    using reply = attachment;
    static constexpr std::string_view name = "test.store_blocking";
    std::int64_t place{};
    attachment bytes;
};
/// Sends it back so many times.
struct repeat {
    using reply = wharf::stream_of<attachment>;
    static constexpr std::string_view name = "test.repeat";
    std::int64_t times{};
    attachment bytes;
};
/// Answers with the last of them.
struct gather {
    using upload = wharf::stream_of<attachment>;
    using reply = attachment;
    static constexpr std::string_view name = "test.gather";
    std::int64_t number{};
};
/// Sends it to the client, and answers with what that answers.
struct pass_on {
    using reply = attachment;
    static constexpr std::string_view name = "test.pass_on";
    attachment bytes;
};

attachment filled(std::size_t n, char with)
{
    return attachment(std::string(n, with));
}

/// Of both ends. Keeps what it is given for longer than the call.
struct keeper {
    std::mutex mutex;
    std::vector<attachment> kept;

    attachment keep(const attachment& what)
    {
        const std::lock_guard held(mutex);
        kept.push_back(what);
        return what;
    }
    void serve(wharf::router& router)
    {
        router.on<store>([this](const store& c) { return keep(c.bytes); });
        router.on<store_late>(
            [this](store_late c) -> wharf::awaitable<attachment> { co_return keep(c.bytes); });
        router.on<store_blocking>(wharf::blocking,
                                  [this](const store_blocking& c) { return keep(c.bytes); });
        router.on<repeat>([](repeat c, wharf::sink<attachment>& out) -> wharf::awaitable<void> {
            for (std::int64_t i = 0; i != c.times; ++i)
                co_await out.async_send(c.bytes);
        });
        router.on<gather>(
            [this](gather, wharf::source<attachment>& in) -> wharf::awaitable<attachment> {
                attachment last;
                while (std::optional<attachment> next = co_await in.async_next())
                    last = keep(*next);
                co_return last;
            });
        router.on<pass_on>([](pass_on c, wharf::call& current) -> wharf::awaitable<attachment> {
            const store_late on{1, c.bytes};
            co_return co_await current.session().async_call(on);
        });
    }
};

struct fixture {
    explicit fixture(std::size_t calls_memory = 256u << 20,
                     std::size_t client_memory = decode_memory)
        : server(server_options(directory, calls_memory)),
          client(context, to_string(directory.socket()), client_options(client_memory))
    {
        server.serve(there);
        server.start();
    }
    static wharf::server_options server_options(const fake::directory& in, std::size_t calls_memory)
    {
        wharf::server_options all;
        all.threads = 1;
        all.listeners.emplace_back();
        all.listeners.back().name = "local";
        all.listeners.back().where = in.socket();
        all.allow.push_back({"*", "unix", "*", "all"});
        all.roles.push_back({"all", {"*"}});
        all.decode.memory_bytes_max = decode_memory;
        all.calls_memory_bytes_max = calls_memory;
        return all;
    }
    static wharf::client_options client_options(std::size_t memory)
    {
        wharf::client_options all;
        all.timeout = client_test::patience;
        all.decode.memory_bytes_max = memory;
        return all;
    }

    fake::directory directory;
    keeper here, there;
    wharf::server server;
    asio::io_context context;
    wharf::client client;
};

template <class Command>
asio::awaitable<void> there_and_back(fixture& f)
{
    for (std::int64_t i = 0; i != 3; ++i) {
        const Command sent{i,
                           filled(large + static_cast<std::size_t>(i), static_cast<char>('a' + i))};
        const attachment back = co_await f.client.async_call(sent);
        BOOST_TEST((back == sent.bytes));
    }
    const Command small{9, attachment(std::string("small"))};
    const attachment back = co_await f.client.async_call(small);
    BOOST_TEST(back.text() == "small");
}

} // namespace

BOOST_AUTO_TEST_CASE(each_form_of_handler_shares_the_memory_of_its_message)
{
    std::vector<attachment> kept;
    {
        fixture f;
        run(f.context, there_and_back<store>(f));
        run(f.context, there_and_back<store_late>(f));
        run(f.context, there_and_back<store_blocking>(f));
        kept = f.there.kept;
    }
    // They outlive server and client.
    BOOST_REQUIRE(kept.size() == 12u);
    for (std::size_t i = 0; i != 3; ++i)
        for (const std::size_t form : {0u, 4u, 8u})
            BOOST_TEST((kept[form + i] == filled(large + i, static_cast<char>('a' + i))));
}

BOOST_AUTO_TEST_CASE(a_blocking_client_shares_the_memory_of_its_replies)
{
    fixture f;
    wharf::blocking_client client(to_string(f.directory.socket()),
                                  fixture::client_options(decode_memory));
    const store sent{1, filled(large, 'b')};
    attachment first = client.call(sent);
    const attachment second = client.call(store{2, filled(large, 'c')});
    client.close();
    BOOST_TEST((first == sent.bytes)); // also after the next call has used the connection
    BOOST_TEST((second == filled(large, 'c')));
}

BOOST_AUTO_TEST_CASE(items_share_the_memory_of_their_messages_in_both_directions)
{
    fixture f;
    const attachment bytes = filled(300000, 'i');
    run(f.context, [&]() -> asio::awaitable<void> {
        auto items = f.client.stream(repeat{5, bytes});
        int count = 0;
        while (std::optional<attachment> item = co_await items.async_next()) {
            BOOST_TEST((*item == bytes));
            ++count;
        }
        BOOST_TEST(count == 5);

        auto up = f.client.stream(gather{1});
        for (int i = 0; i != 5; ++i)
            co_await up.async_send(bytes);
        up.end_upload();
        const attachment last = co_await up.async_result();
        BOOST_TEST((last == bytes));
        BOOST_TEST(f.there.kept.size() == 5u);
    }());
}

BOOST_AUTO_TEST_CASE(a_server_passes_an_attachment_on_to_its_client)
{
    fixture f(256u << 20, 4 * large); // its calls count what they hold
    f.client.serve(f.here);
    run(f.context, [&]() -> asio::awaitable<void> {
        const pass_on sent{filled(large, 'p')};
        const attachment back = co_await f.client.async_call(sent);
        BOOST_TEST((back == sent.bytes));
    }());
    BOOST_REQUIRE(f.here.kept.size() == 1u);
    BOOST_TEST((f.here.kept[0] == filled(large, 'p')));
}

// The message that an attachment keeps is memory of the call, though no decoder charges it.
BOOST_AUTO_TEST_CASE(a_call_counts_the_message_that_its_attachment_keeps)
{
    fixture f(large / 2);
    run(f.context, [&]() -> asio::awaitable<void> {
        const store_late sent{1, filled(large, 'x')};
        wharf::errc code{};
        try {
            co_await f.client.async_call(sent);
        }
        catch (const wharf::error& e) {
            code = e.code();
        }
        BOOST_TEST((code == wharf::errc::overloaded));
        const store_late small{1, filled(large / 4, 'x')};
        const attachment back = co_await f.client.async_call(small);
        BOOST_TEST((back == small.bytes));
    }());
}
