// Sessions with a peer that knows older versions of the classes: what it gets, and what is refused
// before a handler runs.
#include "session_partner.hpp"

#include <wharf/detail/peer_versions.hpp>

#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <atomic>

namespace session_versions {

struct row {
    std::string name = "n";
    std::int32_t more = 2;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(name);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(more);
    }
};
struct one_row {
    using reply = row;
    static constexpr std::string_view name = "test.one_row";
    std::int32_t dummy = 0;
};
struct one_row_later : one_row {
    static constexpr std::string_view name = "test.one_row_later";
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(dummy);
    }
};
struct one_row_slowly : one_row_later {
    static constexpr std::string_view name = "test.one_row_slowly";
};
struct rows {
    using reply = wharf::stream_of<row>;
    static constexpr std::string_view name = "test.rows";
    std::int32_t count = 3;
};

/// Its save() ignores the version.
struct stubborn {
    std::int32_t a = 1, b = 2;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(a);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(b);
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
struct ask_stubborn {
    using reply = stubborn;
    static constexpr std::string_view name = "test.ask_stubborn";
    std::int32_t dummy = 0;
};
/// A call to the peer.
struct tell_row {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.tell_row";
    row what;
};
struct call_back {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.call_back";
    std::int32_t dummy = 0;
};

} // namespace session_versions
BOOST_CLASS_VERSION(session_versions::row, 1)
BOOST_CLASS_VERSION(session_versions::stubborn, 1)

using namespace wharf;
using namespace wharf::test;
using namespace session_versions;

namespace {

struct old_scene {
    old_scene() : s(open_options())
    {
        s.serve(service{*this});
        s.start();
    }
    struct service {
        old_scene& of;
        void serve(router& commands)
        {
            commands.on<one_row>([](const one_row&) { return row{"x", 7}; });
            commands.on<one_row_later>([](one_row_later) -> awaitable<row> {
                co_return row{"x", 7};
            });
            commands.on<one_row_slowly>(blocking, [](const one_row_slowly&) {
                return row{"x", 7};
            });
            commands.on<rows>([](rows c, sink<row>& out) -> awaitable<void> {
                const row each{"x", 7};
                for (std::int32_t i = 0; i < c.count; ++i)
                    co_await out.async_send(each);
            });
            commands.on<ask_stubborn>([this](const ask_stubborn&) {
                ++of.asked;
                return stubborn();
            });
            commands.on<call_back>([](call_back, call& current) -> awaitable<std::int32_t> {
                const tell_row told{{"x", 7}};
                co_return co_await current.session().async_call(told);
            });
        }
    };
    std::atomic<int> asked{0};
    server s;
};

/// The list of a peer that knows version 0 of all classes.
template <class C>
std::vector<std::byte> old_list()
{
    const auto list = detail::classes_of(detail::types_of_command<C>);
    std::vector<std::byte> old(list.begin(), list.end());
    for (std::size_t at = 8; at < old.size(); at += 12)
        std::fill_n(old.begin() + static_cast<std::ptrdiff_t>(at), 4, std::byte{0});
    return old;
}

template <class C>
void declare_old(partner& p)
{
    const auto list = old_list<C>();
    p.words().declare(C::name, std::span<const std::byte>(list));
}

/// A row of version 0 has no table in front, and no second member.
const std::string old_row{'\0', '\1', 'x'};

std::string text_of(const seen& e)
{
    return {reinterpret_cast<const char*>(e.message.data()), e.message.size()};
}

} // namespace

BOOST_AUTO_TEST_CASE(row_60_replies_of_each_kind_of_handler_are_stored_at_the_peers_version)
{
    old_scene at;
    partner p(at.s);
    declare_old<one_row>(p);
    declare_old<one_row_later>(p);
    declare_old<one_row_slowly>(p);
    for (int i = 0; i < 3; ++i)
        p.flush();
    p.call(one_row());
    p.expect("versions");
    p.expect("versions");
    p.expect("versions");
    BOOST_TEST(text_of(p.expect("replied")) == old_row);
    p.call(one_row_later());
    BOOST_TEST(text_of(p.expect("replied")) == old_row);
    p.call(one_row_slowly());
    BOOST_TEST(text_of(p.expect("replied")) == old_row);
    // A peer that does not say what it knows gets the newest.
    partner other(at.s);
    other.call(one_row());
    BOOST_TEST(other.expect("replied").message.size() > old_row.size());
}

BOOST_AUTO_TEST_CASE(items_are_stored_at_the_peers_version)
{
    old_scene at;
    partner p(at.s);
    declare_old<rows>(p);
    p.call(rows{3});
    p.expect("versions");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(text_of(p.expect("item")) == old_row);
    p.expect("replied");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_stored_for_the_peer_is_refused_before_the_handler_runs)
{
    old_scene at;
    partner p(at.s);
    declare_old<ask_stubborn>(p);
    p.call(ask_stubborn());
    p.expect("versions");
    const seen e = p.expect("failed");
    BOOST_TEST((e.code == errc::newer_version));
    BOOST_TEST(e.text.find("stubborn: the peer knows version 0, this program has version 1") !=
                   e.text.npos,
               e.text);
    BOOST_TEST(at.asked == 0);
    // Who knows the newest is answered.
    partner other(at.s);
    other.call(ask_stubborn());
    other.expect("replied");
    BOOST_TEST(at.asked == 1);
}

BOOST_AUTO_TEST_CASE(a_call_to_the_peer_that_is_refused_for_its_version_is_sent_again_once)
{
    old_scene at;
    partner p(at.s);
    p.tells_versions = false;
    const auto id = p.call(call_back());
    const seen first = p.expect("called");
    BOOST_TEST(first.message.size() > old_row.size());
    const auto list = old_list<tell_row>();
    p.words().tell_versions(0, list);
    p.words().reply_error(first.id, errc::newer_version, "too new");
    const seen again = p.expect("called");
    BOOST_TEST(again.id > first.id);
    BOOST_TEST(text_of(again) == old_row);
    // And not twice.
    p.words().reply_error(again.id, errc::newer_version, "still too new");
    const seen e = p.expect("failed");
    BOOST_TEST(e.id == id);
    BOOST_TEST((e.code == errc::newer_version));
    BOOST_TEST(e.text == "still too new");
    // The next one is right at once.
    p.call(call_back());
    const seen next = p.expect("called");
    BOOST_TEST(text_of(next) == old_row);
    p.reply(next.id, std::int32_t{4});
    BOOST_TEST(p.expect("replied").as<std::int32_t>() == 4);
}

BOOST_AUTO_TEST_CASE(a_handler_that_says_newer_version_itself_is_not_called_twice)
{
    old_scene at;
    partner p(at.s);
    p.tells_versions = false;
    p.call(call_back());
    const seen first = p.expect("called");
    p.words().reply_error(first.id, errc::newer_version, "of a stored object");
    const seen e = p.expect("failed");
    BOOST_TEST((e.code == errc::newer_version));
    BOOST_TEST(p.is_quiet());
}
