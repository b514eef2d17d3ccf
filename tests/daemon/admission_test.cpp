// Admission without sockets or accounts: which peer gets which role, and which rules are refused.
#include "support.hpp"

#include "admission.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

accounts made_up_accounts()
{
    accounts a;
    a.uid_of = [](const std::string& user) -> std::optional<std::uint32_t> {
        return user == "alice" ? std::optional<std::uint32_t>(1000) : std::nullopt;
    };
    a.gid_of = [](const std::string& group) -> std::optional<std::uint32_t> {
        return group == "wharf" ? std::optional<std::uint32_t>(50) : std::nullopt;
    };
    a.name_of = [](std::uint32_t uid) { return uid == 1000 ? "alice" : ""; };
    a.groups_of = [](std::uint32_t uid, std::uint32_t gid) {
        std::vector<std::uint32_t> all{gid};
        if (uid == 1000)
            all.push_back(50);
        return all;
    };
    a.own_uid = 900;
    return a;
}

server_options table(std::vector<allow_rule> rules)
{
    server_options o;
    listener_options tcp, local;
    tcp.name = "tcp";
    tcp.where = tcp_endpoint{"127.0.0.1", 7040};
    local.where = unix_endpoint{"/run/wharf/wharf.sock"};
    o.listeners = {tcp, local};
    o.roles = {{"admin", {"*"}}, {"user", {"objects.*", "system.ping"}}};
    o.allow = std::move(rules);
    return o;
}

admission make(std::vector<allow_rule> rules)
{
    return admission(table(std::move(rules)), made_up_accounts());
}

peer_address local_peer(std::uint32_t uid, std::uint32_t gid)
{
    return {"unix:", uid, gid, 1};
}

std::string role_of(const admission& a, const peer_address& p, std::string_view listener = "tcp")
{
    const auto who = a.admit(listener, p);
    return who ? who->role : "refused";
}

std::string refusal(std::vector<allow_rule> rules)
{
    try {
        make(std::move(rules));
    }
    catch (const error& e) {
        BOOST_CHECK(e.code() == errc::bad_argument);
        return e.text();
    }
    return "accepted";
}

} // namespace

BOOST_AUTO_TEST_CASE(without_rules_everybody_is_refused)
{
    const auto a = make({});
    BOOST_TEST(role_of(a, {"127.0.0.1:9", {}, {}, {}}) == "refused");
    BOOST_TEST(role_of(a, local_peer(0, 0)) == "refused");
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_fits_decides)
{
    const auto a = make({{"*", "unix", "uid:7", "user"}, {"*", "unix", "*", "admin"}});
    BOOST_TEST(role_of(a, local_peer(7, 7)) == "user");
    BOOST_TEST(role_of(a, local_peer(8, 7)) == "admin");
}

BOOST_AUTO_TEST_CASE(unix_subjects_are_users_groups_and_self)
{
    BOOST_TEST(role_of(make({{"*", "unix", "user:alice", "user"}}), local_peer(1000, 1)) == "user");
    BOOST_TEST(role_of(make({{"*", "unix", "user:alice", "user"}}), local_peer(1001, 1)) ==
               "refused");
    BOOST_TEST(role_of(make({{"*", "unix", "gid:5", "user"}}), local_peer(1, 5)) == "user");
    BOOST_TEST(role_of(make({{"*", "unix", "gid:5", "user"}}), local_peer(5, 1)) == "refused");
    BOOST_TEST(role_of(make({{"*", "unix", "self", "admin"}}), local_peer(900, 1)) == "admin");
    BOOST_TEST(role_of(make({{"*", "unix", "self", "admin"}}), local_peer(901, 900)) == "refused");
}

BOOST_AUTO_TEST_CASE(a_group_is_primary_or_supplementary)
{
    const auto a = make({{"*", "unix", "group:wharf", "user"}});
    BOOST_TEST(role_of(a, local_peer(77, 50)) == "user");
    BOOST_TEST(role_of(a, local_peer(1000, 1000)) == "user");
    BOOST_TEST(role_of(a, local_peer(77, 77)) == "refused");
}

BOOST_AUTO_TEST_CASE(credentials_do_not_come_over_tcp)
{
    const auto a = make({{"*", "unix", "*", "admin"}});
    BOOST_TEST(role_of(a, {"127.0.0.1:9", {}, {}, {}}) == "refused");
}

BOOST_AUTO_TEST_CASE(an_address_or_a_network_names_tcp_peers)
{
    const auto one = make({{"*", "anonymous", "10.1.2.3", "user"}});
    BOOST_TEST(role_of(one, {"10.1.2.3:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(one, {"10.1.2.4:4", {}, {}, {}}) == "refused");
    const auto net = make({{"*", "anonymous", "10.1.2.0/23", "user"}});
    BOOST_TEST(role_of(net, {"10.1.3.255:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(net, {"10.1.4.0:4", {}, {}, {}}) == "refused");
    const auto all4 = make({{"*", "anonymous", "0.0.0.0/0", "user"}});
    BOOST_TEST(role_of(all4, {"9.9.9.9:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(all4, {"[fe80::1]:4", {}, {}, {}}) == "refused");
    const auto six = make({{"*", "anonymous", "fe80::/10", "user"}});
    BOOST_TEST(role_of(six, {"[fe80::1%eth0]:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(six, {"[fec0::1]:4", {}, {}, {}}) == "refused");
    BOOST_TEST(role_of(six, local_peer(1, 1)) == "refused");
}

BOOST_AUTO_TEST_CASE(a_mapped_address_is_the_ipv4_address_that_it_is)
{
    const auto a = make({{"*", "anonymous", "10.1.2.0/24", "user"}});
    BOOST_TEST(role_of(a, {"[::ffff:10.1.2.3]:4", {}, {}, {}}) == "user");
    const auto b = make({{"*", "anonymous", "::ffff:10.1.2.0/120", "user"}});
    BOOST_TEST(role_of(b, {"10.1.2.3:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(b, {"10.1.3.3:4", {}, {}, {}}) == "refused");
}

BOOST_AUTO_TEST_CASE(anonymous_may_be_everybody)
{
    const auto a = make({{"*", "anonymous", "*", "user"}});
    BOOST_TEST(role_of(a, {"10.1.2.3:4", {}, {}, {}}) == "user");
    BOOST_TEST(role_of(a, local_peer(1, 1)) == "user");
    const auto who = a.admit("tcp", local_peer(1, 1));
    BOOST_TEST(who->name == "anonymous");
    BOOST_TEST(who->method == "anonymous");
}

BOOST_AUTO_TEST_CASE(a_rule_may_be_for_one_listener)
{
    const auto a = make({{"tcp", "anonymous", "*", "user"}});
    BOOST_TEST(role_of(a, local_peer(1, 1), "tcp") == "user");
    BOOST_TEST(role_of(a, local_peer(1, 1), "unix:/run/wharf/wharf.sock") == "refused");
}

BOOST_AUTO_TEST_CASE(a_principal_has_the_name_of_its_account)
{
    const auto a = make({{"*", "unix", "*", "user"}});
    BOOST_CHECK((a.admit("tcp", local_peer(1000, 1)) == principal{"alice", "unix", "user"}));
    BOOST_TEST(a.admit("tcp", local_peer(1001, 1))->name == "uid 1001");
}

BOOST_AUTO_TEST_CASE(a_rule_that_means_nothing_is_refused_by_its_number)
{
    BOOST_TEST(refusal({{"*", "unix", "*", "admin"}, {"tpc", "unix", "*", "user"}}) ==
               "allow line 2: there is no listener \"tpc\"");
    BOOST_TEST(refusal({{"*", "unix", "*", "boss"}}) == "allow line 1: there is no role \"boss\"");
    BOOST_TEST(refusal({{"*", "scram", "*", "user"}}).find("\"scram\" is not") !=
               std::string::npos);
    BOOST_TEST(refusal({{"*", "unix", "user:bob", "user"}}) ==
               "allow line 1: there is no user \"bob\" on this system");
    BOOST_TEST(refusal({{"*", "unix", "group:bobs", "user"}}) ==
               "allow line 1: there is no group \"bobs\" on this system");
    for (const char* bad : {"", "uid:", "uid:x", "uid:-1", "uid:99999999999", "bob", "gid:1x"})
        BOOST_TEST(refusal({{"*", "unix", bad, "user"}}) != "accepted", bad);
    for (const char* bad :
         {"", "10.1.2", "10.1.2.3/33", "10.1.2.3/", "10.1.2.3/-1", "::/129", "localhost", "uid:0"})
        BOOST_TEST(refusal({{"*", "anonymous", bad, "user"}}) != "accepted", bad);
}

BOOST_AUTO_TEST_CASE(a_role_calls_what_its_patterns_name)
{
    const auto a = make({});
    BOOST_TEST(a.may_call("admin", "anything.at.all"));
    BOOST_TEST(a.may_call("user", "objects.put"));
    BOOST_TEST(a.may_call("user", "system.ping"));
    BOOST_TEST(!a.may_call("user", "system.pings"));
    BOOST_TEST(!a.may_call("user", "objectsx.put"));
    BOOST_TEST(!a.may_call("nobody", "system.ping"));
}

// Who may look, by "system.*", may not stop or change the daemon; who may everything, may.
BOOST_AUTO_TEST_CASE(what_changes_the_daemon_has_to_be_named)
{
    server_options o = table({});
    o.roles.push_back({"looker", {"system.*"}});
    o.roles.push_back({"stopper", {"system.*", "system.drain"}});
    const admission a(o, made_up_accounts());
    for (const char* command : {"system.drain", "system.log_level", "system.reload"}) {
        BOOST_TEST(!a.may_call("looker", command), command);
        BOOST_TEST(!a.may_call("user", command), command);
        BOOST_TEST(a.may_call("admin", command), command);
    }
    BOOST_TEST(a.may_call("looker", "system.status"));
    BOOST_TEST(a.may_call("stopper", "system.drain"));
    BOOST_TEST(!a.may_call("stopper", "system.reload"));
}

BOOST_AUTO_TEST_CASE(a_pattern_has_its_star_at_the_end)
{
    for (const char* bad : {"", "obj*", "*.put", "a.*.b", "**"}) {
        server_options o = table({});
        o.roles.push_back({"odd", {bad}});
        BOOST_CHECK_THROW(admission(o, made_up_accounts()), error);
    }
}

BOOST_AUTO_TEST_CASE(a_listener_that_no_rule_could_open_is_found)
{
    const auto a = make({{"*", "unix", "*", "admin"}});
    BOOST_TEST(!a.can_admit("tcp", false));
    BOOST_TEST(a.can_admit("tcp", true));
    const auto b = make({{"tcp", "anonymous", "127.0.0.1", "user"}});
    BOOST_TEST(b.can_admit("tcp", false));
    BOOST_TEST(!b.can_admit("other", false));
    BOOST_TEST(missing_allow_text(table({}).listeners[0]).find("listener = \"tcp\"") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_accounts_of_this_machine_know_root)
{
    const accounts a = system_accounts();
    BOOST_CHECK(a.uid_of("root") == std::uint32_t(0));
    BOOST_CHECK(a.gid_of("root") == std::uint32_t(0));
    BOOST_TEST(a.name_of(0) == "root");
    BOOST_TEST(!a.uid_of("no such user").has_value());
    const auto groups = a.groups_of(0, 0);
    BOOST_TEST(!groups.empty());
    BOOST_TEST(groups.front() == 0u);
}
