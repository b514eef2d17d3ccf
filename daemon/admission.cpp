// admission: allow rules read once, then matched against each new peer.
#include "admission.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace wharf {
namespace ip = boost::asio::ip;

namespace {

/// Bytes that one account record may need, before the look-up is given up.
constexpr std::size_t account_bytes_max = 1u << 20;

/// Calls one of the getpw*_r and getgr*_r functions with a buffer that fits.
template <class Record, class Lookup>
bool look_up(Record& record, std::vector<char>& memory, Lookup lookup)
{
    for (memory.resize(4096); memory.size() <= account_bytes_max;
         memory.resize(memory.size() * 2)) {
        Record* found = nullptr;
        const int failed = lookup(&record, memory.data(), memory.size(), &found);
        if (failed != ERANGE)
            return failed == 0 && found != nullptr;
    }
    return false;
}

template <class Number>
std::optional<Number> to_number(std::string_view text)
{
    Number value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// IPv4 addresses that arrive on an IPv6 socket count as what they are.
ip::address plain(const ip::address& address)
{
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
}

/// "1.2.3.4:5" or "[::1%lo]:5" without the port and the scope.
std::optional<ip::address> address_of(std::string_view text)
{
    if (text.starts_with('[')) {
        text.remove_prefix(1);
        text = text.substr(0, text.find_first_of("]%"));
    }
    else {
        text = text.substr(0, text.rfind(':'));
    }
    boost::system::error_code failed;
    const ip::address address = ip::make_address(text, failed);
    if (failed)
        return std::nullopt;
    return plain(address);
}

bool same_prefix(const auto& a, const auto& b, unsigned bits)
{
    const unsigned whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin()))
        return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool contains(const ip::address& base, unsigned bits, const ip::address& address)
{
    if (base.is_v4() != address.is_v4())
        return false;
    if (base.is_v4())
        return same_prefix(base.to_v4().to_bytes(), address.to_v4().to_bytes(), bits);
    return same_prefix(base.to_v6().to_bytes(), address.to_v6().to_bytes(), bits);
}

[[noreturn]] void refuse(const std::string& where, const std::string& what)
{
    throw error(errc::bad_argument, where + ": " + what);
}

/// These change the daemon. A role that may look, by "system.*", must not be able to stop it.
constexpr std::array<std::string_view, 3> named_commands{"system.drain", "system.log_level",
                                                         "system.reload"};

bool pattern_fits(std::string_view pattern, std::string_view command)
{
    if (!pattern.ends_with('*'))
        return pattern == command;
    const bool must_be_named =
        pattern.size() > 1 &&
        std::find(named_commands.begin(), named_commands.end(), command) != named_commands.end();
    return !must_be_named && command.starts_with(pattern.substr(0, pattern.size() - 1));
}

void check_pattern(const std::string& pattern, const std::string& role)
{
    const auto star = pattern.find('*');
    const bool prefix = pattern == "*" || pattern.ends_with(".*");
    if (pattern.empty() || (star != std::string::npos && (!prefix || star + 1 != pattern.size())))
        refuse("role \"" + role + "\"",
               "\"" + pattern + "\" is not a command name, \"prefix.*\" or \"*\"");
}

} // namespace

accounts system_accounts()
{
    accounts who;
    who.uid_of = [](const std::string& user) -> std::optional<std::uint32_t> {
        passwd record{};
        std::vector<char> memory;
        if (!look_up(record, memory,
                     [&](auto... rest) { return getpwnam_r(user.c_str(), rest...); }))
            return std::nullopt;
        return record.pw_uid;
    };
    who.gid_of = [](const std::string& name) -> std::optional<std::uint32_t> {
        ::group record{};
        std::vector<char> memory;
        if (!look_up(record, memory,
                     [&](auto... rest) { return getgrnam_r(name.c_str(), rest...); }))
            return std::nullopt;
        return record.gr_gid;
    };
    who.name_of = [](std::uint32_t uid) -> std::string {
        passwd record{};
        std::vector<char> memory;
        if (!look_up(record, memory, [&](auto... rest) { return getpwuid_r(uid, rest...); }))
            return {};
        return record.pw_name;
    };
    who.groups_of = [](std::uint32_t uid, std::uint32_t gid) {
        std::vector<std::uint32_t> groups{gid};
        passwd record{};
        std::vector<char> memory;
        if (!look_up(record, memory, [&](auto... rest) { return getpwuid_r(uid, rest...); }))
            return groups;
        int count = 64;
        std::vector<gid_t> found(static_cast<std::size_t>(count));
        if (getgrouplist(record.pw_name, gid, found.data(), &count) < 0) {
            found.resize(static_cast<std::size_t>(std::max(count, 0)));
            if (getgrouplist(record.pw_name, gid, found.data(), &count) < 0)
                return groups;
        }
        groups.insert(groups.end(), found.begin(), found.begin() + count);
        return groups;
    };
    who.own_uid = geteuid();
    return who;
}

std::string listener_name(const listener_options& listener)
{
    return listener.name.empty() ? to_string(listener.where) : listener.name;
}

std::string missing_allow_text(const listener_options& listener)
{
    const std::string name = listener_name(listener);
    return "no allow line lets anybody use the listener \"" + name + "\" (" +
           to_string(listener.where) + "); add one, such as: allow = [{ listener = \"" + name +
           "\", method = \"anonymous\", subject = \"127.0.0.1\", role = \"user\" }]";
}

admission::admission(const server_options& options, accounts who)
    : accounts_(std::move(who)), roles_(options.roles)
{
    for (const role_options& role : roles_)
        for (const std::string& pattern : role.commands)
            check_pattern(pattern, role.name);
    std::size_t number = 0;
    for (const allow_rule& line : options.allow) {
        const std::string where = "allow line " + std::to_string(++number);
        const auto names_it = [&](const listener_options& l) {
            return listener_name(l) == line.listener;
        };
        if (line.listener != "*" &&
            std::none_of(options.listeners.begin(), options.listeners.end(), names_it))
            refuse(where, "there is no listener \"" + line.listener + "\"");
        const auto is_role = [&](const role_options& r) { return r.name == line.role; };
        if (std::none_of(roles_.begin(), roles_.end(), is_role))
            refuse(where, "there is no role \"" + line.role + "\"");
        if (line.method != "unix" && line.method != "anonymous")
            refuse(where, "the method \"" + line.method + "\" is not \"unix\" or \"anonymous\"");
        rules_.push_back(
            {line.listener, line.method == "unix", read_subject(line, where), line.role});
    }
}

admission::subject admission::read_subject(const allow_rule& line, const std::string& where) const
{
    if (line.subject == "*")
        return anyone{};
    if (line.method == "unix")
        return read_unix_subject(line.subject, where);
    const std::string_view text = line.subject;
    const auto slash = text.find('/');
    boost::system::error_code failed;
    const ip::address address = ip::make_address(text.substr(0, slash), failed);
    if (failed)
        refuse(where,
               "the subject \"" + line.subject + "\" is not an address, \"address/bits\" or \"*\"");
    const unsigned bits_max = address.is_v4() ? 32 : 128;
    unsigned bits = bits_max;
    if (slash != std::string_view::npos) {
        const auto given = to_number<unsigned>(text.substr(slash + 1));
        if (!given || *given > bits_max)
            refuse(where, "the subject \"" + line.subject + "\" needs 0 to " +
                              std::to_string(bits_max) + " bits behind the slash");
        bits = *given;
    }
    const ip::address base = plain(address);
    if (base.is_v4() && address.is_v6()) { // ::ffff:1.2.3.4/120 is 1.2.3.4/24
        if (bits < 96)
            return network{address, bits};
        bits -= 96;
    }
    return network{base, bits};
}

admission::subject admission::read_unix_subject(const std::string& text,
                                                const std::string& where) const
{
    if (text == "self")
        return own{};
    const auto colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    const std::string value = colon == std::string::npos ? std::string{} : text.substr(colon + 1);
    if (kind == "uid" || kind == "gid") {
        const auto number = to_number<std::uint32_t>(value);
        if (!number)
            refuse(where, "the subject \"" + text + "\" needs a number behind \"" + kind + ":\"");
        if (kind == "uid")
            return user{*number};
        return group{*number};
    }
    if (kind == "user") {
        if (const auto uid = accounts_.uid_of(value))
            return user{*uid};
        refuse(where, "there is no user \"" + value + "\" on this system");
    }
    if (kind == "group") {
        if (const auto gid = accounts_.gid_of(value))
            return group{*gid};
        refuse(where, "there is no group \"" + value + "\" on this system");
    }
    refuse(where, "the subject \"" + text +
                      "\" is not \"uid:N\", \"user:NAME\", \"gid:N\", \"group:NAME\", \"self\" or "
                      "\"*\"");
}

bool admission::fits(const rule& line, const peer_address& peer) const
{
    if (line.by_credentials && !peer.uid)
        return false;
    if (std::holds_alternative<anyone>(line.who))
        return true;
    if (std::holds_alternative<own>(line.who))
        return *peer.uid == accounts_.own_uid;
    if (const auto* u = std::get_if<user>(&line.who))
        return *peer.uid == u->uid;
    if (const auto* g = std::get_if<group>(&line.who)) {
        if (peer.gid == g->gid)
            return true;
        const auto groups = accounts_.groups_of(*peer.uid, peer.gid.value_or(0));
        return peer.gid && std::find(groups.begin(), groups.end(), g->gid) != groups.end();
    }
    const auto& net = std::get<network>(line.who);
    if (peer.uid)
        return false;
    const auto address = address_of(peer.address);
    return address && contains(net.base, net.bits, *address);
}

std::optional<principal> admission::admit(std::string_view listener, const peer_address& peer) const
{
    for (const rule& line : rules_) {
        if ((line.listener != "*" && line.listener != listener) || !fits(line, peer))
            continue;
        if (!line.by_credentials)
            return principal{"anonymous", "anonymous", line.role};
        std::string name = accounts_.name_of(*peer.uid);
        if (name.empty())
            name = "uid " + std::to_string(*peer.uid);
        return principal{std::move(name), "unix", line.role};
    }
    return std::nullopt;
}

bool admission::can_admit(std::string_view listener, bool is_unix) const
{
    return std::any_of(rules_.begin(), rules_.end(), [&](const rule& line) {
        if (line.listener != "*" && line.listener != listener)
            return false;
        if (is_unix)
            return line.by_credentials || std::holds_alternative<anyone>(line.who);
        return !line.by_credentials;
    });
}

bool admission::may_call(std::string_view role, std::string_view command) const
{
    for (const role_options& r : roles_)
        if (r.name == role)
            return std::any_of(r.commands.begin(), r.commands.end(),
                               [&](const std::string& p) { return pattern_fits(p, command); });
    return false;
}

} // namespace wharf
