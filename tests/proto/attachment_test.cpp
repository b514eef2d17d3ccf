// Attachments: a vector's bytes on the wire, and the memory of their message when they are loaded.
#include "conversation_pair.hpp"
#include "counted_copies.hpp"

#include <wharf/archive.hpp>
#include <wharf/attachment.hpp>
#include <wharf/detail/answer.hpp>
#include <wharf/detail/call_operation.hpp>
#include <wharf/detail/message_owner.hpp>
#include <wharf/service.hpp>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace wharf;
using namespace wharf::test;

namespace {

using bytes = std::vector<std::byte>;

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t large = 64u << 20;
#else
constexpr std::size_t large = 256u << 20;
#endif
constexpr std::size_t mebibyte = 1u << 20;

bytes noise_bytes(std::size_t n)
{
    bytes made(n);
    std::uint64_t x = n * 2 + 1;
    for (std::size_t i = 0; i < n; ++i) {
        if (i % 8 == 0)
            x = x * 6364136223846793005u + 1442695040888963407u;
        made[i] = static_cast<std::byte>(x >> (i % 8 * 8));
    }
    return made;
}

/// A name beside two of them.
struct upload {
    using reply = attachment;
    static constexpr std::string_view name = "test.upload";
    std::string label;
    attachment first, second;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& label& first& second;
    }
};
struct upload_of_bytes {
    std::string label;
    bytes first, second;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& label& first& second;
    }
};

byte_buffer to_buffer(const bytes& from)
{
    byte_buffer made;
    made.append(std::span(from));
    return made;
}

bool lies_in(std::span<const std::byte> part, std::span<const std::byte> all)
{
    return part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size();
}

/// Loads from a message that an owner has; what is left of its memory limit.
template <class T>
std::size_t load_shared(detail::message_owner& owner, const limits& bounds, T& value)
{
    load_archive in(owner.view(), bounds);
    detail::let_share(in, &owner);
    in >> value;
    in.finish();
    return in.memory_left();
}

} // namespace

// ---- The value ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(it_is_made_from_what_holds_bytes_and_takes_that_over)
{
    bytes from = noise_bytes(5000);
    const std::byte* const at = from.data();
    const bytes same = from;
    const attachment a(std::move(from));
    BOOST_TEST(a.data() == at);
    BOOST_TEST((a == attachment::copy_of(same)));
    BOOST_TEST((attachment::copy_of(same).data() != at));
    BOOST_TEST(attachment(std::string("short")).text() == "short");

    const auto owner = std::make_shared<const std::string>("of an owner");
    attachment part(std::as_bytes(std::span(*owner)).subspan(6), owner);
    BOOST_TEST(owner.use_count() == 2);
    BOOST_TEST(part.text() == "owner");
    const attachment copy = part;
    BOOST_TEST(copy.data() == part.data());
    const attachment moved = std::move(part);
    BOOST_TEST(part.empty()); // NOLINT(bugprone-use-after-move): what is left is defined
    BOOST_TEST(moved.size() == 5u);
    BOOST_TEST(owner.use_count() == 3);
}

BOOST_AUTO_TEST_CASE(nothing_is_equal_to_nothing)
{
    const attachment none;
    BOOST_TEST(none.empty());
    BOOST_TEST((none == attachment(bytes())));
    BOOST_TEST((none == attachment::copy_of({})));
    BOOST_TEST(!(none == attachment(std::string("x"))));
    BOOST_TEST(!(attachment(std::string("y")) == attachment(std::string("x"))));
}

BOOST_AUTO_TEST_CASE(other_archives_carry_it_as_a_string)
{
    const attachment a(noise_bytes(300));
    std::stringstream file;
    {
        boost::archive::binary_oarchive out(file);
        out << a;
    }
    attachment b;
    boost::archive::binary_iarchive in(file);
    in >> b;
    BOOST_TEST((a == b));
}

// ---- In the archive -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(row_46_an_attachment_travels_as_a_vector_of_bytes)
{
    for (const std::size_t n : {0u, 1u, 127u, 128u, 70000u}) {
        const upload sent{"name", attachment(noise_bytes(n)), attachment(std::string("second"))};
        const upload_of_bytes same{
            "name", noise_bytes(n), {sent.second.view().begin(), sent.second.view().end()}};
        const bytes message = to_bytes(sent);
        BOOST_TEST((message == to_bytes(same)));
        BOOST_TEST((from_bytes<upload>(message).first == sent.first));
        BOOST_TEST((from_bytes<upload_of_bytes>(message).first == same.first));
        BOOST_TEST(from_bytes<upload>(message).second.text() == "second");
    }
}

BOOST_AUTO_TEST_CASE(it_copies_from_bytes_that_nobody_lends)
{
    const bytes message = to_bytes(attachment(noise_bytes(mebibyte)));
    const std::uint64_t before = copied_bytes();
    const auto loaded = from_bytes<attachment>(message);
    BOOST_TEST(copied_bytes() - before >= mebibyte); // the counter counts
    BOOST_TEST(!lies_in(loaded.view(), message));
    limits small;
    small.memory_bytes_max = mebibyte - 1;
    BOOST_TEST((code_of([&] { from_bytes<attachment>(message, small); }) == errc::memory_limit));
}

BOOST_AUTO_TEST_CASE(it_shares_a_message_of_which_it_is_half_and_charges_nothing)
{
    limits tight;
    tight.memory_bytes_max = 1000;
    for (const std::size_t other : {10u, 900u}) {
        const upload sent{"n", attachment(noise_bytes(mebibyte)), attachment(noise_bytes(other))};
        detail::message_owner owner(to_buffer(to_bytes(sent)));
        const auto message = owner.view();
        upload loaded;
        const std::size_t left = load_shared(owner, tight, loaded);
        BOOST_TEST(lies_in(loaded.first.view(), message));
        BOOST_TEST(!lies_in(loaded.second.view(), message)); // a small one is charged, and copied
        BOOST_TEST(left < 1000 - other);
        BOOST_TEST(owner.shared_bytes() >= message.size());
        owner = detail::message_owner();
        BOOST_TEST((loaded.first == sent.first)); // it keeps the message
        BOOST_TEST((loaded.second == sent.second));
    }
}

// Else 1 KiB would keep 16 MiB in memory.
BOOST_AUTO_TEST_CASE(less_than_half_of_a_message_is_copied_within_the_budget)
{
    const upload sent{std::string(30000, 'x'), attachment(noise_bytes(20000)),
                      attachment(noise_bytes(9000))};
    detail::message_owner owner(to_buffer(to_bytes(sent)));
    upload loaded;
    load_shared(owner, {}, loaded);
    BOOST_TEST(!lies_in(loaded.first.view(), owner.view()));
    BOOST_TEST(owner.shared_bytes() == 0u);
    BOOST_TEST((loaded.first == sent.first));
    limits tight;
    tight.memory_bytes_max = 30000 + 20000;
    BOOST_TEST((code_of([&] { load_shared(owner, tight, loaded); }) == errc::memory_limit));
}

// Nor is its part charged, as the buffer may have been there by chance.
BOOST_AUTO_TEST_CASE(a_buffer_far_larger_than_its_message_is_not_kept)
{
    const bytes message = to_bytes(attachment(noise_bytes(70000)));
    limits tight;
    tight.memory_bytes_max = 1000;
    for (const std::size_t capacity : {200000u, 400000u}) {
        byte_buffer roomy;
        roomy.reserve_more(capacity);
        BOOST_REQUIRE(roomy.capacity() >= capacity);
        roomy.append(std::span(message));
        detail::message_owner owner(std::move(roomy));
        attachment loaded;
        load_shared(owner, tight, loaded);
        const bool is_far_larger = owner.capacity() > 4 * 70000;
        BOOST_TEST(lies_in(loaded.view(), owner.view()) == !is_far_larger);
        BOOST_TEST(owner.shared_bytes() == (is_far_larger ? 70000 : owner.capacity()));
        BOOST_TEST(loaded.size() == 70000u);
    }
}

// Each takes one byte of the message, and far more memory.
BOOST_AUTO_TEST_CASE(many_small_attachments_are_charged_for_what_they_take)
{
    const std::vector<attachment> many(10000, attachment(std::string("x")));
    const bytes message = to_bytes(many);
    limits bounds;
    bounds.memory_bytes_max = many.size() * (sizeof(attachment) + 48);
    BOOST_TEST((code_of([&] { from_bytes<std::vector<attachment>>(message, bounds); }) ==
                errc::memory_limit));
    bounds.memory_bytes_max += many.size();
    BOOST_TEST((from_bytes<std::vector<attachment>>(message, bounds) == many));
}

BOOST_AUTO_TEST_CASE(a_count_beyond_the_message_is_refused)
{
    bytes message = to_bytes(attachment(noise_bytes(100)));
    BOOST_TEST(message.size() == 102u);
    message[1] = std::byte{101};
    BOOST_TEST((code_of([&] { from_bytes<attachment>(message); }) == errc::bad_length));
    message[1] = std::byte{99};
    BOOST_TEST((code_of([&] { from_bytes<attachment>(message); }) == errc::trailing_data));
}

BOOST_AUTO_TEST_CASE(it_shares_only_memory_that_its_owner_has)
{
    const bytes message = to_bytes(attachment(noise_bytes(mebibyte)));
    detail::message_owner other(to_buffer(message));
    attachment loaded;
    load_archive in(message);
    detail::let_share(in, &other);
    in >> loaded;
    BOOST_TEST(other.shared_bytes() == 0u);
    BOOST_TEST((loaded.view().size() == mebibyte));
}

// ---- Through conversations ----------------------------------------------------------------------

namespace {

/// What both ends need for large messages; the decoders' memory is what is to be proven.
struct raised {
    raised()
    {
        wire.message_bytes_max = wire.reassembly_bytes_max = large + mebibyte;
        decode.message_bytes_max = large + mebibyte;
        decode.memory_bytes_max = mebibyte;
    }
    conversation_limits wire;
    limits decode;
};

/// Moves everything that is unsent, as the system would; where its last byte arrived.
const std::byte* pass(conversation& from, conversation& to, event& last)
{
    const std::byte* end = nullptr;
    while (!from.unsent().empty()) {
        const auto unsent = from.unsent();
        const auto room = to.prepare();
        const std::size_t n = std::min(unsent.size(), room.size());
        {
            const system_copies system;
            std::memcpy(room.data(), unsent.data(), n);
        }
        end = room.data() + n;
        to.commit(n);
        from.sent(n);
        for (event e = to.next(); !std::holds_alternative<events::nothing>(e); e = to.next()) {
            last = e;
            if (std::holds_alternative<events::called>(e) ||
                std::holds_alternative<events::replied>(e))
                break; // what it shows is valid until the next event
        }
    }
    return end;
}

class slot_of final : public detail::conversation_slot {
public:
    using conversation_slot::conversation_slot;
};

/// Of a client, which keeps the encoded call as long as it waits.
struct encoded {
    explicit encoded(const upload& what)
    {
        byte_buffer scratch;
        store_archive out(scratch);
        out << what;
        out.flush();
        call.name = upload::name;
        call.is_open_ended = true;
        call.message = detail::message_bytes(scratch);
    }
    detail::encoded_call call;
};

} // namespace

// Row 47: there, through the archive on both sides, and back: at most one copy in each direction,
// that of the store, within a decode budget of 1 MiB.
BOOST_AUTO_TEST_CASE(row_47_an_attachment_is_copied_once_in_each_direction)
{
    const raised limit;
    const conversation::time_point now{};
    conversation client(side::client, limit.wire, "c", now);
    conversation server(side::server, limit.wire, "s", now);
    event last;
    pass(client, server, last);
    pass(server, client, last);

    upload sent{"a film", attachment(noise_bytes(large)), {}};
    const std::byte* handled_at = nullptr;
    router commands;
    commands.on<upload>([&](const upload& c) {
        handled_at = c.first.data();
        return c.first;
    });

    std::uint64_t copied = copied_bytes();
    {
        encoded made(sent);
        BOOST_REQUIRE(made.call.message.shared());
        detail::send_call(client, client.declare(upload::name), made.call, now);
    }
    const std::byte* received_to = pass(client, server, last);
    BOOST_REQUIRE(std::holds_alternative<events::called>(last));
    const auto called = std::get<events::called>(last);
    BOOST_TEST(called.message.data() + called.message.size() == received_to);
    {
        slot_of slot(server, called.id, limit.decode);
        detail::call_failure failure;
        const std::shared_ptr<detail::session_core> nobody;
        const detail::session_facts facts;
        wharf::call current(nobody, facts, called.id, wharf::call::time_point::max());
        const detail::command_entry& entry = *commands.find(upload::name);
        BOOST_TEST(detail::answer_call(entry, called.message, current, slot, failure),
                   failure.text);
    }
    BOOST_TEST(lies_in({handled_at, large}, called.message));
    // There: one copy into the message, and the first frames until the rest comes in place. The
    // reply is stored, too.
    const std::uint64_t there = copied_bytes() - copied;
    BOOST_TEST(there >= 2 * large);
    BOOST_TEST(there <= 2 * large + mebibyte);

    copied = copied_bytes();
    last = {};
    received_to = pass(server, client, last);
    BOOST_REQUIRE(std::holds_alternative<events::replied>(last));
    const auto replied = std::get<events::replied>(last);
    BOOST_TEST(replied.message.data() + replied.message.size() == received_to);
    detail::outcome how;
    how.message = replied.message;
    how.owner = client.owner_of(replied.message);
    detail::decoded<attachment> reply;
    detail::decode(how, limit.decode, reply);
    BOOST_REQUIRE(!reply.failure);
    BOOST_TEST(lies_in(reply.value.view(), replied.message));
    BOOST_TEST(copied_bytes() - copied <= mebibyte); // back: none but the store's above
    while (!std::holds_alternative<events::nothing>(client.next())) {}
    BOOST_TEST(client.buffered_bytes() < mebibyte); // the attachment alone has it
    BOOST_TEST((reply.value == sent.first));
}

// What is shared is let go of when it has left, or when nobody wants it any more.
BOOST_AUTO_TEST_CASE(a_shared_call_is_let_go_of)
{
    const conversation::time_point now{};
    const auto message = [] {
        auto made = std::make_shared<byte_buffer>();
        made->resize(mebibyte);
        std::memset(made->data(), 7, mebibyte);
        return std::shared_ptr<const byte_buffer>(std::move(made));
    };
    conversation client(side::client, {}, "c", now);
    conversation server(side::server, {}, "s", now);
    event last;
    pass(client, server, last);
    pass(server, client, last);
    const auto number = client.declare("a");
    {
        const auto shared = message();
        client.call_shared(number, shared, std::nullopt, now);
        BOOST_TEST(shared.use_count() == 2);
        std::vector<std::span<const std::byte>> parts(64);
        parts.resize(client.unsent_parts(parts));
        BOOST_TEST(lies_in(parts.back(), shared->view())); // sent from where it is
        pass(client, server, last);
        BOOST_TEST(shared.use_count() == 1);
        BOOST_TEST((std::ranges::equal(std::get<events::called>(last).message, shared->view())));
    }
    {
        const auto shared = message();
        const auto id = client.call_shared(number, shared, std::nullopt, now);
        client.cancel(id);
        BOOST_TEST(shared.use_count() == 1);
        pass(client, server, last);
    }
    {
        const auto shared = message();
        {
            const conversation moved = std::move(client);
            const_cast<conversation&>(moved).call_shared(number, shared, std::nullopt, now);
        }
        BOOST_TEST(shared.use_count() == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_shared_call_that_fits_a_frame_or_is_refused_is_not_kept)
{
    const conversation::time_point now{};
    conversation_limits small;
    small.message_bytes_max = 10000;
    conversation client(side::client, {}, "c", now);
    conversation server(side::server, small, "s", now);
    event last;
    pass(client, server, last);
    pass(server, client, last);
    auto made = std::make_shared<byte_buffer>();
    made->resize(9000);
    std::memset(made->data(), 'm', made->size());
    const std::shared_ptr<const byte_buffer> shared = made;
    const auto number = client.declare("a");
    client.call_shared(number, shared, std::nullopt, now);
    BOOST_TEST(shared.use_count() == 2); // made's
    pass(client, server, last);
    BOOST_TEST(std::get<events::called>(last).message.size() == 9000u);
    made->resize(10001);
    BOOST_TEST((code_of([&] { client.call_shared(number, shared, std::nullopt, now); }) ==
                errc::message_limit));
    BOOST_TEST(shared.use_count() == 2);
}

// An owner may be moved from: the event's message stays where it is.
BOOST_AUTO_TEST_CASE(the_last_message_is_taken_over)
{
    const conversation::time_point now{};
    conversation client(side::client, {}, "c", now);
    conversation server(side::server, {}, "s", now);
    event last;
    pass(client, server, last);
    pass(server, client, last);
    const auto number = client.declare("a");
    for (const std::size_t n : {100u, 200000u}) {
        const wire::bytes message = noise(n, n);
        client.call(number, wire::view(message), std::nullopt, now);
        pass(client, server, last);
        const auto called = std::get<events::called>(last);
        BOOST_TEST((server.owner_of(called.message) != nullptr) == (n > 100));
        BOOST_TEST(server.owner_of(called.message.subspan(1)) == nullptr);
        const detail::message_owner kept = detail::take_message(server, called.message);
        BOOST_TEST((kept.view().data() == called.message.data()) == (n > 100));
        while (!std::holds_alternative<events::nothing>(server.next())) {}
        server.prepare();
        BOOST_TEST((std::ranges::equal(kept.view(), wire::view(message))));
    }
}
