// Two conversations wired together and driven at random: calls, streams, cancels, deadlines, in
// pieces of any size. Nothing is misdelivered or lost, and at the end nothing is left.
#include "conversation_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>
#include <set>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

/// What passed between the caller and the callee of one call.
struct call_model {
    wire::bytes message;
    wire::bytes answer;
    bool is_answered = false;    ///< by the callee's user
    bool is_given_up = false;    ///< by the caller
    bool is_over = false;        ///< the caller was told, or gave it up
    bool is_told_callee = false; ///< the callee was told that it is cancelled
    bool is_called = false;      ///< the callee has it
    bool is_upload_over = false;
    bool is_upload_end_seen = false;
    std::deque<wire::bytes> uploads; ///< sent, not yet received
    std::deque<wire::bytes> items;
};

struct held_item {
    std::uint64_t id;
    flow which;
    std::size_t bytes;
};

class model {
public:
    model(unsigned seed, const conversation_limits& client, const conversation_limits& server)
        : random_(seed), pair_(client, server)
    {
        pair_.open();
        for (const bool is_client : {true, false}) {
            auto& end = of(is_client);
            number_[is_client] = end.talk.declare("random");
            end.on_event = [this, is_client](const event& e) {
                std::visit([&](const auto& what) { happened(is_client, what); }, e);
            };
        }
    }

    void run(int steps)
    {
        for (int i = 0; i < steps; ++i)
            act(chance(2), steps);
    }

    void finish();
    void check_credit(bool is_client);

    std::size_t calls_made = 0;
    std::size_t items_received = 0;
    std::size_t replies_received = 0;
    std::size_t given_up = 0;
    std::size_t windows_opened = 0;

private:
    peer_end& of(bool is_client) { return is_client ? pair_.client : pair_.server; }
    std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
    bool chance(unsigned n) { return random_() % n == 0; }
    std::size_t some_size()
    {
        switch (below(12)) {
        case 0: return 0;
        case 1: return below(30000);
        case 2: return 2040 + below(20);
        default: return below(200);
        }
    }
    wire::bytes some_message() { return noise(some_size(), random_()); }
    std::map<std::uint64_t, call_model>& calls(bool of_client) { return calls_[of_client]; }
    call_model* some_call(bool of_client, std::uint64_t& id)
    {
        auto& all = calls(of_client);
        if (all.empty())
            return nullptr;
        auto at = all.lower_bound(all.begin()->first +
                                  below(all.rbegin()->first - all.begin()->first + 1));
        id = at->first;
        return &at->second;
    }

    void act(bool is_client, int steps);
    void make_call(bool is_client);
    void send(bool is_client, std::uint64_t id, flow which);
    void answer(bool is_client, std::uint64_t id, call_model& call);
    void give_up(bool is_client, std::uint64_t id, call_model& call);
    void consume(bool is_client, bool all);
    void expire(bool is_client);
    void transfer(bool from_client, std::size_t most);
    void forget_old(bool of_client);

    template <class Event>
    void happened(bool, const Event&)
    {}
    void happened(bool is_client, const events::called& e);
    void happened(bool is_client, const events::replied& e);
    void happened(bool is_client, const events::failed& e);
    void happened(bool is_client, const events::item& e);
    void happened(bool is_client, const events::upload_ended& e);
    void happened(bool is_client, const events::cancelled& e);
    void happened(bool is_client, const events::window_opened& e);
    void happened(bool, const events::ended& e) { BOOST_ERROR("ended: " << e.text); }

    bool is_finishing_ = false;
    std::mt19937_64 random_;
    conversation_pair pair_;
    std::uint16_t number_[2]{};
    std::map<std::uint64_t, call_model> calls_[2]; ///< by who made them
    std::vector<held_item> held_[2];
};

void model::act(bool is_client, int steps)
{
    std::uint64_t id = 0;
    switch (below(16)) {
    case 0:
        if (of(is_client).talk.own_calls_in_flight() < 40)
            make_call(is_client);
        break;
    case 1:
        if (call_model* call = some_call(!is_client, id); call != nullptr && chance(2))
            answer(is_client, id, *call);
        break;
    case 2:
        if (call_model* call = some_call(is_client, id); call != nullptr && chance(6))
            give_up(is_client, id, *call);
        break;
    case 3:
    case 4:
        if (some_call(is_client, id) != nullptr)
            send(is_client, id, flow::upload);
        break;
    case 5:
    case 6:
        if (some_call(!is_client, id) != nullptr)
            send(is_client, id, flow::reply);
        break;
    case 7:
        if (call_model* call = some_call(is_client, id);
            call != nullptr && chance(4) && of(is_client).talk.peer().stream_window_bytes != 0) {
            if (!call->is_over)
                call->is_upload_over = true;
            of(is_client).talk.end_upload(id);
        }
        break;
    case 8: consume(is_client, false); break;
    case 9:
        pair_.now += std::chrono::milliseconds(below(5));
        expire(is_client);
        break;
    case 10:
        if (of(is_client).talk.unsent_bytes() < 100000)
            of(is_client).talk.ping(random_());
        break;
    default: transfer(is_client, chance(3) ? 20 : 1 + below(40000)); break;
    }
    if (below(static_cast<std::size_t>(steps)) < 200)
        forget_old(is_client);
}

void model::make_call(bool is_client)
{
    const auto message = some_message();
    std::optional<conversation::time_point> deadline;
    if (chance(4))
        deadline = pair_.now + std::chrono::milliseconds(below(400));
    const auto id =
        of(is_client).talk.call(number_[is_client], wire::view(message), deadline, pair_.now);
    calls(is_client)[id].message = message;
    ++calls_made;
}

void model::send(bool is_client, std::uint64_t id, flow which)
{
    const bool by_caller = which == flow::upload;
    call_model& call = calls(by_caller == is_client)[id];
    conversation& talk = of(is_client).talk;
    if (!talk.can_send(id, which) || (by_caller && call.is_upload_over))
        return;
    const auto message = some_message();
    talk.send_item(id, which, wire::view(message));
    (by_caller ? call.uploads : call.items).push_back(message);
}

void model::answer(bool is_client, std::uint64_t id, call_model& call)
{
    if (call.is_answered || !call.is_called)
        return;
    call.is_answered = true;
    if (chance(4)) {
        call.answer = "not found";
        of(is_client).talk.reply_error(id, errc::not_found, call.answer);
        return;
    }
    call.answer = some_message();
    BOOST_TEST(reply(of(is_client), id, call.answer));
}

void model::give_up(bool is_client, std::uint64_t id, call_model& call)
{
    of(is_client).talk.cancel(id);
    if (!call.is_over)
        ++given_up;
    call.is_over = call.is_given_up = true;
}

void model::consume(bool is_client, bool all)
{
    auto& held = held_[is_client];
    while (!held.empty()) {
        const std::size_t i = below(held.size());
        of(is_client).talk.consumed(held[i].id, held[i].which, held[i].bytes);
        held[i] = held.back();
        held.pop_back();
        if (!all && chance(3))
            return;
    }
}

void model::expire(bool is_client)
{
    for (;;) {
        const event e = of(is_client).talk.expire(pair_.now);
        const auto* expired = std::get_if<events::expired>(&e);
        if (expired == nullptr)
            return;
        call_model& call = calls(is_client).at(expired->id);
        BOOST_REQUIRE(!call.is_over);
        call.is_over = call.is_given_up = true;
        ++given_up;
    }
}

/// One gathered write, taken in by one receive or several.
void model::transfer(bool from_client, std::size_t most)
{
    conversation& from = of(from_client).talk;
    peer_end& to = of(!from_client);
    std::vector<std::span<const std::byte>> parts(1 + below(6));
    const std::size_t n = from.unsent_parts(parts);
    wire::bytes all;
    for (std::size_t i = 0; i < n; ++i)
        all += wire::copy(parts[i]);
    BOOST_REQUIRE(all.empty() == (from.unsent_bytes() == 0));
    all.resize(std::min(all.size(), most));
    from.sent(all.size());
    while (!all.empty()) {
        const auto room = to.talk.prepare();
        const std::size_t taken = std::min({room.size(), all.size(), 1 + below(5000)});
        // The user may give up a call while the system still writes into the room.
        std::uint64_t id = 0;
        if (call_model* call = is_finishing_ || !chance(50) ? nullptr : some_call(!from_client, id);
            call != nullptr)
            give_up(!from_client, id, *call);
        std::memcpy(room.data(), all.data(), taken);
        to.talk.commit(taken);
        all.erase(0, taken);
        to.drain();
    }
}

void model::forget_old(bool of_client)
{
    auto& all = calls(of_client);
    while (all.size() > 60 && all.begin()->second.is_over && all.begin()->second.is_answered)
        all.erase(all.begin());
}

void model::happened(bool is_client, const events::called& e)
{
    call_model& call = calls(!is_client).at(e.id);
    BOOST_REQUIRE(!call.is_called);
    BOOST_REQUIRE(wire::copy(e.message) == call.message);
    call.is_called = true;
}

void model::happened(bool is_client, const events::replied& e)
{
    call_model& call = calls(is_client).at(e.id);
    BOOST_REQUIRE(call.is_answered);
    BOOST_REQUIRE(!call.is_over);
    BOOST_REQUIRE(call.items.empty()); // the end comes behind them
    BOOST_REQUIRE(wire::copy(e.message) == call.answer);
    call.is_over = true;
    ++replies_received;
}

void model::happened(bool is_client, const events::failed& e)
{
    call_model& call = calls(is_client).at(e.id);
    BOOST_REQUIRE(call.is_answered);
    BOOST_REQUIRE(!call.is_over);
    BOOST_REQUIRE(call.items.empty());
    BOOST_REQUIRE(e.text == call.answer);
    call.is_over = true;
}

void model::happened(bool is_client, const events::item& e)
{
    const bool by_caller = e.which == flow::upload;
    call_model& call = calls(by_caller != is_client).at(e.id);
    BOOST_REQUIRE((by_caller ? !call.is_answered : !call.is_over));
    BOOST_REQUIRE(!(by_caller && call.is_upload_end_seen));
    auto& sent = by_caller ? call.uploads : call.items;
    BOOST_REQUIRE(!sent.empty());
    BOOST_REQUIRE(wire::copy(e.message) == sent.front());
    sent.pop_front();
    held_[is_client].push_back({e.id, e.which, e.message.size()});
    ++items_received;
}

void model::happened(bool is_client, const events::upload_ended& e)
{
    call_model& call = calls(!is_client).at(e.id);
    BOOST_REQUIRE(call.is_upload_over);
    BOOST_REQUIRE(call.uploads.empty());
    BOOST_REQUIRE(!call.is_upload_end_seen);
    call.is_upload_end_seen = true;
}

void model::happened(bool is_client, const events::cancelled& e)
{
    call_model& call = calls(!is_client).at(e.id);
    BOOST_REQUIRE(call.is_given_up);
    BOOST_REQUIRE(!call.is_told_callee);
    BOOST_REQUIRE(!call.is_answered);
    call.is_told_callee = true;
}

void model::happened(bool is_client, const events::window_opened& e)
{
    ++windows_opened;
    if (e.id != 0)
        BOOST_REQUIRE(of(is_client).talk.can_send(e.id, e.which));
}

/// Answers and consumes everything: then nothing is left.
void model::finish()
{
    is_finishing_ = true;
    for (int round = 0; round < 100000; ++round) {
        for (const bool is_client : {true, false}) {
            consume(is_client, true);
            for (auto& [id, call] : calls(!is_client))
                answer(is_client, id, call);
        }
        transfer(true, 100000);
        transfer(false, 100000);
        if (pair_.client.talk.unsent_bytes() + pair_.server.talk.unsent_bytes() == 0 &&
            held_[0].empty() && held_[1].empty() &&
            pair_.client.talk.own_calls_in_flight() + pair_.server.talk.own_calls_in_flight() == 0)
            break;
    }
    for (const bool is_client : {true, false}) {
        conversation& talk = of(is_client).talk;
        BOOST_TEST(talk.own_calls_in_flight() == 0u);
        BOOST_TEST(talk.calls_in_flight() == 0u);
        BOOST_TEST(talk.unsent_bytes() == 0u);
        BOOST_TEST(talk.buffered_bytes() <= 16384u);
        BOOST_TEST(!talk.next_deadline().has_value());
        for (const auto& [id, call] : calls(is_client))
            BOOST_TEST(call.is_over, "call " << id);
        calls(is_client).clear();
    }
}

/// One item that is half of the window brings back all that was due: then the credit is what it
/// began with, to the byte.
void model::check_credit(bool is_client)
{
    conversation& talk = of(is_client).talk;
    const std::uint64_t window = talk.peer().session_window_bytes;
    BOOST_REQUIRE(talk.peer().stream_window_bytes == window);
    const auto id = talk.call(number_[is_client], {}, {}, pair_.now);
    calls(is_client)[id];
    BOOST_REQUIRE(talk.can_send(id, flow::upload));
    const wire::bytes half(window / 2, 'h');
    talk.send_item(id, flow::upload, wire::view(half));
    calls(is_client)[id].uploads.push_back(half);
    while (talk.unsent_bytes() != 0)
        transfer(is_client, 100000);
    consume(!is_client, true);
    while (of(!is_client).talk.unsent_bytes() != 0)
        transfer(!is_client, 100000);
    std::size_t empty_items = 0;
    while (talk.can_send(id, flow::upload)) {
        talk.send_item(id, flow::upload, {});
        calls(is_client)[id].uploads.push_back({});
        ++empty_items;
    }
    BOOST_TEST(empty_items == (window + 15) / 16);
}

conversation_limits small(std::uint32_t frame, std::uint32_t window)
{
    conversation_limits limits;
    limits.frame_bytes_max = frame;
    limits.stream_window_bytes = window;
    limits.session_window_bytes = window;
    limits.calls_in_flight_max = 64;
    return limits;
}

} // namespace

BOOST_AUTO_TEST_CASE(everything_at_random_arrives_where_it_belongs)
{
    std::size_t calls = 0;
    std::size_t items = 0;
    std::size_t given_up = 0;
    std::size_t replies = 0;
    std::size_t opened = 0;
    for (unsigned seed = 1; seed <= 40; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            model m(seed, small(2048 + seed * 13, 9000), small(seed % 2 == 0 ? 2048 : 65536, 5000));
            m.run(20000);
            m.finish();
            m.check_credit(true);
            m.finish();
            m.check_credit(false);
            m.finish();
            calls += m.calls_made;
            items += m.items_received;
            given_up += m.given_up;
            replies += m.replies_received;
            opened += m.windows_opened;
        }
    }
    // The control: it did happen.
    BOOST_TEST_MESSAGE(calls << " calls, " << replies << " replies, " << given_up << " given up, "
                             << items << " items, " << opened << " windows opened");
    BOOST_TEST(calls >= 10000u);
    BOOST_TEST(items >= 20000u);
    BOOST_TEST(given_up >= 2000u);
    BOOST_TEST(replies >= 5000u);
    BOOST_TEST(opened >= 1000u);
}

// One of the two does not know streams: calls and cancels go on as they do without.
BOOST_AUTO_TEST_CASE(an_end_without_streams_is_at_ease_with_one_that_has_them)
{
    for (unsigned seed = 1; seed <= 6; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            auto without = small(2048, 0);
            model m(seed, seed % 2 == 0 ? without : small(2048, 5000),
                    seed % 2 == 0 ? small(4096, 5000) : without);
            m.run(6000);
            m.finish();
            BOOST_TEST(m.replies_received >= 10u);
            BOOST_TEST(m.given_up >= 10u);
        }
    }
}
