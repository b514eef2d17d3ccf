// The grammar of endpoints: reading and printing host:port, [v6%scope]:port, unix:, fd:.
#include <wharf/endpoint.hpp>

#include <wharf/error.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

#include <arpa/inet.h>

namespace wharf {
namespace {

constexpr std::size_t host_bytes_max = 253; // RFC 1035, without the root's dot
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t unix_path_bytes_max = 107; // sockaddr_un::sun_path without its NUL
constexpr std::size_t scope_bytes_max = 15;      // IFNAMSIZ without its NUL
constexpr std::size_t quoted_bytes_max = 120;    // of bad input repeated in a message

constexpr std::string_view expected = "expected host:port, 1.2.3.4:port, [v6]:port, unix:/path, "
                                      "unix:@name or fd:N";

// Input is repeated in the message so that the user finds it; what could spoil a log line is not.
std::string quoted(std::string_view text)
{
    std::string out = "\"";
    for (char c : text.substr(0, quoted_bytes_max))
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return out += text.size() > quoted_bytes_max ? "...\"" : "\"";
}

[[noreturn]] void refuse(std::string_view text, std::string_view why)
{
    throw error(errc::bad_endpoint, quoted(text) + ": " + std::string(why));
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool begins_with_scheme(std::string_view text, std::string_view scheme)
{
    if (text.size() <= scheme.size() || text[scheme.size()] != ':')
        return false;
    return std::equal(scheme.begin(), scheme.end(), text.begin(),
                      [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

// A decimal number as the grammar has it: digits only, no sign, no leading zero.
template <class Int>
bool read_number(std::string_view digits, Int max, Int& out)
{
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit) ||
        (digits.size() > 1 && digits.front() == '0'))
        return false;
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return ec == std::errc() && end == digits.data() + digits.size() && out <= max;
}

std::uint16_t parse_port(std::string_view text, std::string_view digits)
{
    std::uint16_t port = 0;
    if (!read_number<std::uint16_t>(digits, std::numeric_limits<std::uint16_t>::max(), port))
        refuse(text, "expected a port number from 0 to 65535 behind the last ':'");
    return port;
}

bool is_v4(const std::string& host)
{
    in_addr address;
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_v6(const std::string& host)
{
    in6_addr address;
    return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

void check_name(std::string_view text, std::string_view host)
{
    if (host.size() > host_bytes_max)
        refuse(text, "a host name has at most 253 bytes");
    if (host.back() == '.' && host.size() > 1)
        host.remove_suffix(1);
    std::string_view label;
    for (std::size_t begin = 0; begin <= host.size(); begin += label.size() + 1) {
        label = host.substr(begin, host.find('.', begin) - begin);
        if (label.empty() || label.size() > label_bytes_max ||
            !std::all_of(label.begin(), label.end(),
                         [](char c) { return is_alnum(c) || c == '-' || c == '_'; }) ||
            label.front() == '-' || label.back() == '-')
            refuse(text, "expected a host name of labels (1 to 63 letters, digits and '-') with "
                         "dots between them, or an address");
    }
    // The C library would read "127.1" and "0x7f.1" as addresses in forms that nobody expects.
    if (is_digit(label.front()) && (std::all_of(label.begin(), label.end(), is_digit) ||
                                    label.starts_with("0x") || label.starts_with("0X")))
        refuse(text, "expected an IPv4 address of four numbers from 0 to 255, as in 127.0.0.1");
}

tcp_endpoint parse_bracketed(std::string_view text)
{
    std::size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != ':')
        refuse(text, "expected [v6]:port, as in [::1]:7040");
    std::string_view inside = text.substr(1, close - 1);
    std::size_t percent = inside.find('%');
    if (!is_v6(std::string(inside.substr(0, percent))))
        refuse(text, "expected an IPv6 address between the brackets, as in [::1]:7040");
    if (percent != std::string_view::npos) {
        std::string_view scope = inside.substr(percent + 1);
        if (scope.empty() || scope.size() > scope_bytes_max || has_control(scope) ||
            scope.find_first_of(" /%[") != std::string_view::npos)
            refuse(text, "expected an interface behind '%', as in [fe80::1%eth0]:7040");
    }
    return {std::string(inside), parse_port(text, text.substr(close + 2))};
}

tcp_endpoint parse_tcp(std::string_view text)
{
    if (text.front() == '[')
        return parse_bracketed(text);
    std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        refuse(text, expected);
    if (text.find(':') != colon) {
        if (is_v6(std::string(text)) || is_v6(std::string(text.substr(0, colon))))
            refuse(text, "an IPv6 address stands in brackets: [v6]:port, as in [::1]:7040");
        refuse(text, expected);
    }
    std::string host(text.substr(0, colon));
    if (host.empty())
        refuse(text, "expected a host before the port; all interfaces are 0.0.0.0:port or "
                     "[::]:port");
    if (!is_v4(host))
        check_name(text, host);
    return {std::move(host), parse_port(text, text.substr(colon + 1))};
}

unix_endpoint parse_unix(std::string_view text, std::string_view path)
{
    bool abstract = !path.empty() && path.front() == '@';
    if (abstract)
        path.remove_prefix(1);
    else if (path.empty() || path.front() != '/')
        refuse(text, "expected an absolute path or '@' and a name behind \"unix:\", as in "
                     "unix:/run/wharf/wharf.sock");
    if (path.empty())
        refuse(text, "expected a name behind \"unix:@\"");
    if (path.size() > unix_path_bytes_max)
        refuse(text, "a unix socket's path or name has at most 107 bytes");
    if (has_control(path))
        refuse(text, "a unix socket's path or name has no control characters");
    return {std::string(path), abstract};
}

struct printer {
    std::string operator()(const tcp_endpoint& e) const
    {
        std::string port = std::to_string(e.port);
        return e.host.find(':') != std::string::npos ? "[" + e.host + "]:" + port
                                                     : e.host + ":" + port;
    }
    std::string operator()(const unix_endpoint& e) const
    {
        return (e.abstract ? "unix:@" : "unix:") + e.path;
    }
    std::string operator()(const fd_endpoint& e) const { return "fd:" + std::to_string(e.fd); }
};

} // namespace

endpoint parse_endpoint(std::string_view text)
{
    if (text.empty())
        refuse(text, expected);
    if (begins_with_scheme(text, "udp"))
        refuse(text, "a datagram endpoint cannot carry archives, which need a reliable stream; "
                     "expected host:port for TCP, or unix:/path");
    if (text.starts_with("unix:"))
        return parse_unix(text, text.substr(5));
    if (text.starts_with("fd:")) {
        fd_endpoint e;
        if (!read_number(text.substr(3), std::numeric_limits<int>::max(), e.fd))
            refuse(text, "expected the number of an open descriptor behind \"fd:\", as in fd:3");
        return e;
    }
    return parse_tcp(text);
}

std::string to_string(const endpoint& e)
{
    return std::visit(printer(), e);
}

} // namespace wharf
