// Settings of wharfctl in TOML; the only file of the client that includes toml++.
#include "ctl_settings.hpp"

#include "ctl_errors.hpp"
#include "ctl_text.hpp"

#include <wharf/detail/near_names.hpp>

#include <toml++/toml.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace wharf::ctl {

namespace {

constexpr std::size_t file_bytes_max = 64u << 10;

struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string reason()
{
    return std::strerror(errno);
}

/// Absent where there is no such file.
std::optional<std::string> read_text_of(const std::string& name)
{
    const std::unique_ptr<std::FILE, closer> file(std::fopen(name.c_str(), "rbe"));
    if (!file) {
        if (errno == ENOENT || errno == ENOTDIR)
            return {};
        throw usage_error{"cannot read the settings in " + name + ": " + reason()};
    }
    std::string text(file_bytes_max + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()))
        throw usage_error{"cannot read the settings in " + name + ": " + reason()};
    if (text.size() > file_bytes_max)
        throw usage_error{name + " holds more than 64 KiB: these are no settings of wharfctl"};
    return text;
}

std::string place(const std::string& file, const toml::source_region& where)
{
    return file + ":" + std::to_string(where.begin.line) + ": ";
}

[[noreturn]] void refuse(const std::string& file, const toml::node& node, std::string_view key,
                         const char* expected)
{
    throw usage_error{place(file, node.source()) + std::string(key) + ": expected " + expected};
}

constexpr const char* any_endpoint = "an endpoint in quotes, as \"unix:/run/wharf/wharf.sock\"";
constexpr const char* any_timeout = "seconds from 0.001 to 86400";
constexpr const char* any_colour = "\"auto\", \"always\" or \"never\"";

void take(settings& to, const std::string& file, std::string_view key, const toml::node& node)
{
    if (key == "endpoint") {
        to.endpoint = node.value_exact<std::string>();
        if (!to.endpoint || to.endpoint->empty())
            refuse(file, node, key, any_endpoint);
    }
    else if (key == "timeout") {
        to.timeout_s = node.is_number() ? node.value<double>() : std::nullopt;
        if (!to.timeout_s || !(*to.timeout_s >= timeout_s_min && *to.timeout_s <= timeout_s_max))
            refuse(file, node, key, any_timeout);
    }
    else if (key == "colour") {
        const auto word = node.value_exact<std::string>();
        to.colour = word ? parse_colour(*word) : std::nullopt;
        if (!to.colour)
            refuse(file, node, key, any_colour);
    }
    else {
        const std::vector<std::string> keys{"endpoint", "timeout", "colour"};
        const std::string meant = detail::suggest_name(key, keys);
        throw usage_error{place(file, node.source()) + std::string(key) + ": unknown key" +
                          (meant.empty() ? ": there are endpoint, timeout and colour" : meant)};
    }
}

} // namespace

settings read_settings(const std::string& file)
{
    const std::optional<std::string> text = read_text_of(file);
    settings made;
    if (!text)
        return made;
    try {
        for (const auto& [key, node] : toml::parse(*text, file))
            take(made, file, key.str(), node);
    }
    catch (const toml::parse_error& e) {
        throw usage_error{place(file, e.source()) + "not TOML: " + std::string(e.description())};
    }
    return made;
}

std::optional<double> parse_timeout(std::string_view text)
{
    double seconds = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() ||
        !(seconds >= timeout_s_min && seconds <= timeout_s_max))
        return {};
    return seconds;
}

std::optional<colour_choice> parse_colour(std::string_view text)
{
    if (text == "auto")
        return colour_choice::automatic;
    if (text == "always")
        return colour_choice::always;
    if (text == "never")
        return colour_choice::never;
    return {};
}

std::string user_settings_file()
{
    constexpr const char* name = "/wharf/wharfctl.toml";
    // The XDG specification: a path that is not absolute counts as none.
    if (const char* base = std::getenv("XDG_CONFIG_HOME"); base != nullptr && *base == '/')
        return std::string(base) + name;
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::string(home) + "/.config" + name;
    return {};
}

} // namespace wharf::ctl
