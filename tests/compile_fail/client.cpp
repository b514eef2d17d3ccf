// Calls that a client must refuse to compile.
#include <wharf/client.hpp>

#include <boost/asio/as_tuple.hpp>

struct put {
    using reply = void;
    static constexpr std::string_view name = "test.put";
    std::string key, value;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& key& value;
    }
};

boost::asio::awaitable<void> compiles(wharf::client& client)
{
    const put named{"k", "v"};
    co_await client.async_call(named);
    co_await client.async_call<put>("k", "v");
    client.async_call(put{"k", "v"}, [](wharf::error_code) {}); // outside of any co_await
}

#ifdef REFUSED
// Refused: wharf: g\+\+ 12 destroys an aggregate temporary.*twice
boost::asio::awaitable<void> awaited_temporary(wharf::client& client)
{
    co_await client.async_call(put{"k", "v"});
}

// Refused: wharf: g\+\+ 12 destroys an aggregate temporary.*twice
boost::asio::awaitable<void> awaited_temporary_as_tuple(wharf::client& client)
{
    co_await client.async_call(put{"k", "v"}, boost::asio::as_tuple(boost::asio::use_awaitable));
}

// Refused: no matching function for call to 'wharf::client::async_call
boost::asio::awaitable<void> no_command(wharf::client& client)
{
    co_await client.async_call(std::string("not a command"));
}
#endif
