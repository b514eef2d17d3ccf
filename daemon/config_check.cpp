// What has to hold between the settings of a configuration before a daemon starts with it.
#include "config.hpp"
#include "config_values.hpp"
#include "systemd.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <grp.h>
#include <pwd.h>

namespace wharf::config {

namespace {

std::string element(const char* table, std::size_t index, const char* key = nullptr)
{
    std::string name = std::string(table) + "[" + std::to_string(index) + "]";
    return key ? name + "." + key : name;
}

/// Where a key of an element stands; where it is not written, the element.
position place_of(const configuration& all, const char* table, std::size_t index, const char* key)
{
    const std::string name = element(table, index, key);
    return all.origin(all.origins.contains(name) ? name : element(table, index));
}

std::string name_of(const listener_options& l)
{
    return l.name.empty() ? to_string(l.where) : l.name;
}

bool is_unix(const listener_options& l)
{
    // A descriptor that is no socket is refused when it is opened; here it needs an allow line.
    if (const auto* passed = std::get_if<fd_endpoint>(&l.where)) {
        const auto where = systemd::bound_to(passed->fd);
        return where && std::holds_alternative<unix_endpoint>(*where);
    }
    return std::holds_alternative<unix_endpoint>(l.where);
}

/// What is passed says where it listens: its number tells an operator nothing.
std::string place_text(const listener_options& l)
{
    const auto* passed = std::get_if<fd_endpoint>(&l.where);
    const auto where = passed ? systemd::bound_to(passed->fd) : std::nullopt;
    return where ? "the passed socket " + quote(to_string(*where)) : quote(to_string(l.where));
}

/// Port 0 asks for another port each time.
bool may_repeat(const endpoint& where)
{
    const auto* tcp = std::get_if<tcp_endpoint>(&where);
    return tcp && tcp->port == 0;
}

void check_listener(const configuration& all, std::size_t i)
{
    const listener_options& l = all.server.listeners[i];
    const auto refuse = [&](const char* key, const char* problem) {
        throw config_error(place_of(all, "listen", i, key), std::string("listen.") + key, problem);
    };
    if (l.ipv6_only && !std::holds_alternative<tcp_endpoint>(l.where))
        refuse("ipv6_only", "is for TCP only");
    if (!std::holds_alternative<unix_endpoint>(l.where)) {
        if (!l.unix_group.empty())
            refuse("group", "is for unix sockets only");
        if (l.unix_mode != listener_options{}.unix_mode)
            refuse("mode", "is for unix sockets only");
    }
    if (!l.unix_group.empty() && !::getgrnam(l.unix_group.c_str())) {
        throw config_error(place_of(all, "listen", i, "group"), "listen.group",
                           "there is no group " + quote(l.unix_group), "a group of this system");
    }
    for (std::size_t other = 0; other < i; ++other) {
        const listener_options& before = all.server.listeners[other];
        if (before.where == l.where && !may_repeat(l.where)) {
            throw config_error(place_of(all, "listen", i, "endpoint"), "listen.endpoint",
                               quote(to_string(l.where)) + " is listed twice", "each place once");
        }
        if (name_of(before) == name_of(l)) {
            throw config_error(place_of(all, "listen", i, "name"), "listen.name",
                               "two listeners are named " + quote(name_of(l)),
                               "a name of its own for each");
        }
    }
}

std::optional<std::uint32_t> to_number(const std::string& text)
{
    std::uint32_t n = 0;
    const char* end = text.data() + text.size();
    const auto [last, failed] = std::from_chars(text.data(), end, n);
    if (failed != std::errc{} || last != end)
        return {};
    return n;
}

/// What is wrong with a subject; nothing when it is fine.
std::string check_unix_subject(const std::string& subject)
{
    if (subject == "*" || subject == "self")
        return {};
    const auto colon = subject.find(':');
    const std::string kind = subject.substr(0, colon);
    const std::string who = colon == std::string::npos ? "" : subject.substr(colon + 1);
    if ((kind == "uid" || kind == "gid") && to_number(who))
        return {};
    if (kind == "user" && !who.empty())
        return ::getpwnam(who.c_str()) ? "" : "there is no user " + quote(who);
    if (kind == "group" && !who.empty())
        return ::getgrnam(who.c_str()) ? "" : "there is no group " + quote(who);
    return quote(subject) + " names nobody";
}

std::string check_address_subject(const std::string& subject)
{
    if (subject == "*")
        return {};
    const auto slash = subject.find('/');
    boost::system::error_code failed;
    const auto address = boost::asio::ip::make_address(subject.substr(0, slash), failed);
    if (failed)
        return quote(subject) + " is no address";
    if (slash == std::string::npos)
        return {};
    const auto bits = to_number(subject.substr(slash + 1));
    return bits && *bits <= (address.is_v4() ? 32u : 128u) ? "" : quote(subject) + " has bad bits";
}

void check_rule(const configuration& all, std::size_t i)
{
    const allow_rule& rule = all.server.allow[i];
    const auto refuse = [&](const char* key, const std::string& problem,
                            const std::string& expected) {
        throw config_error(place_of(all, "allow", i, key), std::string("allow.") + key, problem,
                           expected);
    };
    std::vector<std::string> listeners{"*"}, roles;
    for (const listener_options& l : all.server.listeners)
        listeners.push_back(name_of(l));
    for (const role_options& r : all.server.roles)
        roles.push_back(r.name);
    const auto list = [](const std::vector<std::string>& names) {
        std::string out = "one of";
        for (const std::string& name : names)
            out.append(out.back() == 'f' ? " " : ", ").append(quote(name));
        return out;
    };
    if (std::find(listeners.begin(), listeners.end(), rule.listener) == listeners.end())
        refuse("listener", "no listener is named " + quote(rule.listener), list(listeners));
    if (std::find(roles.begin(), roles.end(), rule.role) == roles.end())
        refuse("role", "no role is named " + quote(rule.role), list(roles));
    const std::string problem = rule.method == "unix" ? check_unix_subject(rule.subject)
                                                      : check_address_subject(rule.subject);
    if (problem.empty())
        return;
    refuse("subject", problem,
           rule.method == "unix" ? "uid:N, user:NAME, gid:N, group:NAME, self or *, of this system"
                                 : "an address, address/bits or *");
}

/// Peer credentials exist on unix sockets alone: nobody could use another listener without a line
/// that lets anybody in, and that has to be written out.
void check_allowed(const configuration& all, std::size_t i)
{
    const listener_options& l = all.server.listeners[i];
    const std::string name = name_of(l);
    const auto fits = [&](const allow_rule& rule) {
        return (rule.listener == "*" || rule.listener == name) &&
               (rule.method == "anonymous" || is_unix(l));
    };
    if (std::any_of(all.server.allow.begin(), all.server.allow.end(), fits))
        return;
    const bool local = is_unix(l);
    throw config_error(
        place_of(all, "listen", i, "endpoint"), "listen.endpoint",
        place_text(l) + " has no allow line, so that nobody could use it",
        "a line such as: allow = [{ listener = " + quote(name) + ", method = " +
            (local ? "\"unix\", subject = \"self\"" : "\"anonymous\", subject = \"127.0.0.0/8\"") +
            ", role = \"user\" }] at the top of the file, or [[allow]] with these keys below");
}

void check_roles(const configuration& all)
{
    const auto& roles = all.server.roles;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        for (std::size_t other = 0; other < i; ++other) {
            if (roles[i].name == roles[other].name) {
                throw config_error(place_of(all, "role", i, "name"), "role.name",
                                   "two roles are named " + quote(roles[i].name),
                                   "a name of its own for each");
            }
        }
    }
}

void check_order(const configuration& all, const std::string& smaller, std::uint64_t small,
                 const std::string& larger, std::uint64_t large)
{
    if (small <= large)
        return;
    // The later of the two is the one that somebody wrote, as the defaults are in order.
    const std::string& written = all.origins.contains(smaller) ? smaller : larger;
    throw config_error(all.origin(written), written,
                       smaller + " (" + format_size(small) + ") exceeds " + larger + " (" +
                           format_size(large) + ")",
                       smaller + " <= " + larger);
}

} // namespace

void check(const configuration& all)
{
    const server_options& s = all.server;
    if (s.listeners.empty())
        throw config_error(all.origin("listen"), "listen", "there is no endpoint",
                           "at least one [[listen]]");
    check_order(all, "limits.frame_bytes_max", s.conversation.frame_bytes_max,
                "limits.message_bytes_max", s.decode.message_bytes_max);
    check_order(all, "limits.message_bytes_max", s.decode.message_bytes_max,
                "limits.reassembly_bytes_max", s.conversation.reassembly_bytes_max);
    check_order(all, "limits.stream_window_bytes", s.conversation.stream_window_bytes,
                "limits.session_window_bytes", s.conversation.session_window_bytes);
    check_order(all, "limits.memory_base_bytes", s.decode.memory_base_bytes,
                "limits.memory_bytes_max", s.decode.memory_bytes_max);
    for (std::size_t i = 0; i < s.listeners.size(); ++i)
        check_listener(all, i);
    check_roles(all);
    for (std::size_t i = 0; i < s.allow.size(); ++i)
        check_rule(all, i);
    for (std::size_t i = 0; i < s.listeners.size(); ++i)
        check_allowed(all, i);
}

} // namespace wharf::config
