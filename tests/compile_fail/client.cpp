// Calls that a client must refuse to compile, one case at a time.
#include <wharf/client.hpp>

#include <boost/asio/as_tuple.hpp>

namespace {

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

[[maybe_unused]] boost::asio::awaitable<void> calls(wharf::client& client)
{
#if defined(CASE_none)
    const put named{"k", "v"};
    co_await client.async_call(named);
    co_await client.async_call<put>("k", "v");
    client.async_call(put{"k", "v"}, [](wharf::error_code) {}); // outside of any co_await
#elif defined(CASE_awaited_temporary)
    co_await client.async_call(put{"k", "v"});
#elif defined(CASE_awaited_temporary_as_tuple)
    co_await client.async_call(put{"k", "v"}, boost::asio::as_tuple(boost::asio::use_awaitable));
#elif defined(CASE_no_command)
    co_await client.async_call(std::string("not a command"));
#endif
    co_return;
}

} // namespace
