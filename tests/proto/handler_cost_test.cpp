// What a call costs in allocations: none for an inline handler whose types need none.
#include "handler_support.hpp"

#include "bench/allocations.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

struct measurement {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "test.measurement";
    std::string sensor;
    std::vector<double> values;
};

/// Calls from one conversation to the other, again and again.
struct loop {
    explicit loop(const router& commands)
        : client(side::client, {}, "c", clock::now()),
          server(side::server, {}, "s", clock::now()),
          commands_(commands)
    {
        exchange::pass(client, server);
        exchange::pass(server, client);
        exchange::take(server);
        exchange::take(client);
    }
    void run(std::string_view name, std::span<const std::byte> message)
    {
        client.call(client.declare(name), message, std::nullopt, clock::time_point());
        exchange::pass(client, server);
        for (;;) {
            const event e = server.next();
            if (const auto* called = std::get_if<events::called>(&e)) {
                call current(session, session->facts(), called->id, call::time_point::max());
                detail::conversation_slot slot(server, called->id, bounds);
                detail::call_failure failure;
                BOOST_REQUIRE(detail::answer_call(*commands_.find(name), called->message, current,
                                                  slot, failure));
            }
            else if (std::holds_alternative<events::nothing>(e)) {
                break;
            }
        }
        exchange::pass(server, client);
        BOOST_REQUIRE(std::holds_alternative<events::replied>(client.next()));
        exchange::take(client);
    }
    /// Allocations per call, once everything has its size.
    template <class C>
    double cost(const C& command)
    {
        const byte_buffer bytes = encode(command);
        for (int i = 0; i < 100; ++i)
            run(C::name, bytes.view());
        constexpr int calls = 1000;
        const auto before = bench::allocations();
        for (int i = 0; i < calls; ++i)
            run(C::name, bytes.view());
        return static_cast<double>(bench::allocations() - before) / calls;
    }

    conversation client, server;
    const router& commands_;
    const limits bounds;
    const std::shared_ptr<detail::session_core> session = std::make_shared<no_session>();
};

} // namespace

BOOST_AUTO_TEST_CASE(the_count_counts)
{
    const auto before = bench::allocations();
    const auto made = bench::allocate_by_each();
    BOOST_TEST(bench::allocations() - before >= made);
}

BOOST_AUTO_TEST_CASE(an_inline_call_allocates_nothing)
{
    router r;
    r.on<add>([](const add& c) { return c.a + c.b; });
    BOOST_TEST(loop(r).cost(add{1, 2}) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_command_with_memory_allocates_nothing_once_its_object_has_it)
{
    router r;
    r.on<measurement>([](const measurement& m) { return m.sensor.size() + m.values.size(); });
    const measurement what{std::string(100, 's'), std::vector<double>(100, 1.5)};
    BOOST_TEST(loop(r).cost(what) == 0.0);
    router by_value; // the control: a handler that takes it over cannot leave it
    by_value.on<measurement>([](measurement m) { return m.sensor.size() + m.values.size(); });
    BOOST_TEST(loop(by_value).cost(what) == 2.0);
}
