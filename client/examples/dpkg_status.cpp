// The strict parser of /var/lib/dpkg/status: stanzas of "Field: value" lines to records.
#include "dpkg_status.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace dpkg {
namespace {

constexpr std::string_view relation_fields[] = {"Depends",  "Pre-Depends", "Recommends",
                                                "Suggests", "Provides",    "Conflicts",
                                                "Breaks",   "Replaces",    "Enhances"};

struct field {
    std::size_t line; // of its name
    std::string_view name;
    std::string_view value; // behind the colon, blanks trimmed
    std::vector<std::string_view> more;
};

std::string quoted(std::string_view text)
{
    std::string q = "\"";
    for (char c : text.substr(0, 80))
        q += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return q + (text.size() > 80 ? "...\"" : "\"");
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text)
{
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

// Cuts the text up to a separator off its front.
std::string_view cut(std::string_view& text, char at)
{
    const std::size_t n = text.find(at);
    const std::string_view part = text.substr(0, n);
    text.remove_prefix(n == text.npos ? text.size() : n + 1);
    return part;
}

// One part more than there are separators: an empty one is the caller's to refuse.
std::vector<std::string_view> split(std::string_view text, char at)
{
    std::vector<std::string_view> parts;
    for (std::size_t n; (n = text.find(at)) != text.npos; text.remove_prefix(n + 1))
        parts.push_back(text.substr(0, n));
    parts.push_back(text);
    return parts;
}

template <class Number>
Number to_number(std::string_view text, std::size_t line, const char* what)
{
    Number n{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failure != std::errc{} || end != text.data() + text.size() || text.empty())
        throw status_error(line, std::string(what) + " " + quoted(text) + " is not a number");
    return n;
}

template <class Enum, std::size_t N>
Enum to_enum(const std::pair<std::string_view, Enum> (&words)[N], std::string_view text,
             std::size_t line, const char* what)
{
    for (const auto& [word, value] : words)
        if (word == text)
            return value;
    throw status_error(line, std::string(what) + " " + quoted(text) + " is unknown");
}

bool is_name(std::string_view text)
{
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '-' || c == '.' || c == '_';
    };
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), fits);
}

version_number to_version(std::string_view text, std::size_t line)
{
    version_number v;
    const std::string_view whole = text;
    if (text.find(':') != text.npos)
        v.epoch = to_number<std::uint32_t>(cut(text, ':'), line, "the epoch");
    if (const std::size_t dash = text.rfind('-'); dash != text.npos) {
        v.revision = std::string(text.substr(dash + 1));
        text = text.substr(0, dash);
    }
    v.upstream = std::string(text);
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(".+-~:_").find(c) != std::string_view::npos;
    };
    if (text.empty() || (v.revision && v.revision->empty()) ||
        !std::all_of(whole.begin(), whole.end(), fits))
        throw status_error(line, "version " + quoted(whole) + " is malformed");
    return v;
}

dependency to_dependency(std::string_view text, std::size_t line)
{
    static constexpr std::pair<std::string_view, relation> signs[] = {
        {"<<", relation::earlier},   {"<=", relation::earlier_equal},
        {"=", relation::equal},      {">=", relation::later_equal},
        {">>", relation::later},     {"<", relation::earlier_equal},
        {">", relation::later_equal}};
    dependency d;
    const std::string_view whole = text;
    const std::size_t open = text.find('(');
    std::string_view name = trim(text.substr(0, open));
    if (open != text.npos) {
        std::string_view constraint = text.substr(open + 1);
        if (constraint.empty() || constraint.back() != ')')
            throw status_error(line, "dependency " + quoted(whole) + " has no ')' at its end");
        constraint = trim(constraint.substr(0, constraint.size() - 1));
        const std::size_t sign = std::min(constraint.find_first_not_of("<=>"), constraint.size());
        d.how = to_enum(signs, constraint.substr(0, sign), line, "relation");
        d.version = to_version(trim(constraint.substr(sign)), line);
    }
    if (name.find(':') != name.npos) {
        const std::string_view before = cut(name, ':');
        if (!is_name(name))
            throw status_error(line, "dependency " + quoted(whole) + " has no architecture");
        d.architecture = std::string(name);
        name = before;
    }
    if (!is_name(name))
        throw status_error(line, "dependency " + quoted(whole) + " does not name a package");
    d.name = std::string(name);
    return d;
}

// "a, b | c (>= 1)"
std::vector<alternatives> to_relations(const field& f)
{
    std::vector<alternatives> all;
    for (std::string_view choice : split(f.value, ',')) {
        alternatives& some = all.emplace_back();
        for (std::string_view one : split(choice, '|'))
            some.push_back(to_dependency(trim(one), f.line));
    }
    return all;
}

std::uint8_t hex_digit(char c, std::size_t line)
{
    if (c >= '0' && c <= '9')
        return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<std::uint8_t>(c - 'a' + 10);
    throw status_error(line, "a digest of a conffile has a character that is no digit");
}

std::vector<conffile> to_conffiles(const field& f)
{
    std::vector<conffile> all;
    for (std::size_t i = 0; i < f.more.size(); ++i) {
        const std::size_t line = f.line + 1 + i;
        std::string_view rest = trim(f.more[i]);
        conffile c;
        // The path may have blanks; the digest and the flags behind it have none.
        for (std::size_t blank; (blank = rest.rfind(' ')) != rest.npos;) {
            const std::string_view word = rest.substr(blank + 1);
            if (word != "obsolete" && word != "remove-on-upgrade")
                break;
            c.flags.insert(c.flags.begin(), std::string(word));
            rest = trim(rest.substr(0, blank));
        }
        const std::size_t blank = rest.rfind(' ');
        if (blank == rest.npos || rest.front() != '/')
            throw status_error(line,
                               "conffile " + quoted(f.more[i]) + " is not a path and a digest");
        const std::string_view digest = rest.substr(blank + 1);
        c.path = std::string(trim(rest.substr(0, blank)));
        if (digest == "newconffile") {
            c.digest = std::string(digest);
        }
        else {
            md5 sum{};
            if (digest.size() != 2 * sum.size())
                throw status_error(line, "digest " + quoted(digest) + " has not 32 digits");
            for (std::size_t n = 0; n < sum.size(); ++n)
                sum[n] = static_cast<std::uint8_t>(hex_digit(digest[2 * n], line) << 4 |
                                                   hex_digit(digest[2 * n + 1], line));
            c.digest = sum;
        }
        all.push_back(std::move(c));
    }
    return all;
}

status to_status(const field& f)
{
    static constexpr std::pair<std::string_view, want> wants[] = {{"unknown", want::unknown},
                                                                  {"install", want::install},
                                                                  {"hold", want::hold},
                                                                  {"deinstall", want::deinstall},
                                                                  {"purge", want::purge}};
    static constexpr std::pair<std::string_view, bool> flags[] = {{"ok", false},
                                                                  {"reinstreq", true}};
    static constexpr std::pair<std::string_view, state> states[] = {
        {"not-installed", state::not_installed},
        {"config-files", state::config_files},
        {"half-installed", state::half_installed},
        {"unpacked", state::unpacked},
        {"half-configured", state::half_configured},
        {"triggers-awaited", state::triggers_awaited},
        {"triggers-pending", state::triggers_pending},
        {"installed", state::installed}};
    std::string_view rest = f.value;
    status s;
    s.want = to_enum(wants, cut(rest, ' '), f.line, "selection");
    s.reinstall_required = to_enum(flags, cut(rest, ' '), f.line, "error flag");
    s.state = to_enum(states, rest, f.line, "state");
    return s;
}

description to_description(const field& f)
{
    description d;
    d.summary = std::string(f.value);
    for (std::string_view line : f.more) {
        line.remove_prefix(1); // the blank that continues the field
        d.body.emplace_back(line == "." ? std::string_view() : line);
    }
    return d;
}

std::string to_text(const field& f)
{
    std::string text(f.value);
    for (std::string_view line : f.more)
        text.append("\n").append(line);
    return text;
}

void require_one_line(const field& f)
{
    if (!f.more.empty())
        throw status_error(f.line + 1, std::string(f.name) + " has more than one line");
}

priority to_priority(std::string_view text)
{
    static constexpr std::pair<std::string_view, priority> priorities[] = {
        {"required", priority::required},
        {"important", priority::important},
        {"standard", priority::standard},
        {"optional", priority::optional},
        {"extra", priority::extra}};
    for (const auto& [word, value] : priorities)
        if (word == text)
            return value;
    return priority::other; // dpkg accepts any word
}

void set_field(package& p, const field& f)
{
    if (f.name == "Conffiles") {
        p.conffiles = to_conffiles(f);
        return;
    }
    if (f.name == "Description") {
        p.description = to_description(f);
        return;
    }
    const auto* known = std::find(std::begin(relation_fields), std::end(relation_fields), f.name);
    if (known != std::end(relation_fields)) {
        require_one_line(f);
        p.relations.emplace(f.name, to_relations(f));
        return;
    }
    const std::pair<std::string_view, void (*)(package&, const field&)> setters[] = {
        {"Package", [](package& to, const field& g) { to.name = g.value; }},
        {"Architecture", [](package& to, const field& g) { to.architecture = g.value; }},
        {"Status", [](package& to, const field& g) { to.status = to_status(g); }},
        {"Version", [](package& to, const field& g) { to.version = to_version(g.value, g.line); }},
        {"Priority", [](package& to, const field& g) { to.priority = to_priority(g.value); }},
        {"Section", [](package& to, const field& g) { to.section = g.value; }},
        {"Maintainer", [](package& to, const field& g) { to.maintainer = g.value; }},
        {"Homepage", [](package& to, const field& g) { to.homepage = std::string(g.value); }},
        {"Installed-Size",
         [](package& to, const field& g) {
             to.installed_size_kib = to_number<std::uint64_t>(g.value, g.line, "Installed-Size");
         }},
        {"Essential", [](package& to, const field& g) {
             static constexpr std::pair<std::string_view, bool> words[] = {{"yes", true},
                                                                           {"no", false}};
             to.essential = to_enum(words, g.value, g.line, "Essential");
         }}};
    for (const auto& [name, set] : setters)
        if (name == f.name) {
            require_one_line(f);
            set(p, f);
            return;
        }
    p.other.emplace(f.name, to_text(f));
}

package to_package(const std::vector<field>& fields)
{
    package p;
    std::set<std::string_view> seen;
    for (const field& f : fields) {
        if (!seen.insert(f.name).second)
            throw status_error(f.line, "field " + quoted(f.name) + " stands twice");
        set_field(p, f);
    }
    const std::size_t line = fields.front().line;
    if (!is_name(p.name))
        throw status_error(line, "the stanza has no field Package with a package's name");
    if (!seen.contains("Status"))
        throw status_error(line, "package " + p.name + " has no field Status");
    const bool needs_version =
        p.status.state != state::not_installed && p.status.state != state::config_files;
    if (needs_version && (!p.version || !is_name(p.architecture)))
        throw status_error(line, "package " + p.name + " has no version or no architecture");
    return p;
}

field to_field(std::string_view text, std::size_t line)
{
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (colon == text.npos || !is_name(name) || name.front() == '-')
        throw status_error(line, quoted(text) + " is not \"Field: value\"");
    return {line, name, trim(text.substr(colon + 1)), {}};
}

} // namespace

std::vector<package> parse_status(std::string_view text)
{
    if (text.size() > file_bytes_max)
        throw status_error(1,
                           "the file has more than " + std::to_string(file_bytes_max) + " bytes");
    std::vector<package> packages;
    std::set<std::string> keys;
    std::vector<field> fields;
    std::size_t bytes = 0, line = 0;
    const auto end_stanza = [&] {
        if (fields.empty())
            return;
        packages.push_back(to_package(fields));
        const std::size_t at = fields.front().line;
        if (!keys.insert(key_of(packages.back())).second)
            throw status_error(at, key_of(packages.back()) + " stands twice");
        if (packages.size() > packages_max)
            throw status_error(at, "more than " + std::to_string(packages_max) + " packages");
        fields.clear();
        bytes = 0;
    };
    while (!text.empty()) {
        if (text.find('\n') == text.npos)
            throw status_error(line + 1, "the last line does not end: is the file cut off?");
        const std::string_view next = cut(text, '\n');
        ++line;
        if (next.find('\0') != next.npos)
            throw status_error(line, "there is a zero byte");
        if (trim(next).empty()) {
            end_stanza();
            continue;
        }
        bytes += next.size();
        if (bytes > stanza_bytes_max || fields.size() >= fields_max)
            throw status_error(line, "the stanza is larger than the limit");
        if (!is_blank(next.front()))
            fields.push_back(to_field(next, line));
        else if (!fields.empty())
            fields.back().more.push_back(next);
        else
            throw status_error(line, "a line continues no field");
    }
    end_stanza();
    return packages;
}

std::string key_of(const package& p)
{
    return "package/" + p.name + ":" + p.architecture;
}

std::string first_difference(const package& a, const package& b)
{
    const std::pair<const char*, bool> same[] = {
        {"name", a.name == b.name},
        {"architecture", a.architecture == b.architecture},
        {"status", a.status == b.status},
        {"version", a.version == b.version},
        {"priority", a.priority == b.priority},
        {"section", a.section == b.section},
        {"maintainer", a.maintainer == b.maintainer},
        {"installed_size_kib", a.installed_size_kib == b.installed_size_kib},
        {"essential", a.essential == b.essential},
        {"homepage", a.homepage == b.homepage},
        {"relations", a.relations == b.relations},
        {"description", a.description == b.description},
        {"conffiles", a.conffiles == b.conffiles},
        {"other", a.other == b.other}};
    for (const auto& [name, is_same] : same)
        if (!is_same)
            return name;
    return a == b ? "" : "a field that is not listed";
}

} // namespace dpkg
