// Brings defaults, files and command line together, in that order.
#include "config.hpp"

#include "config_keys.hpp"
#include "config_toml.hpp"
#include "log_format.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <grp.h>
#include <unistd.h>

namespace wharf::config {

std::string to_string(const position& where)
{
    if (where.line == 0)
        return where.source;
    return where.source + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

config_error::config_error(position where, std::string key, std::string problem,
                           std::string expected)
    : where_(std::move(where)), key_(std::move(key))
{
    what_ = to_string(where_) + ": ";
    if (!key_.empty())
        what_ += key_ + ": ";
    what_ += problem;
    if (!expected.empty())
        what_ += "; expected " + expected;
    // Keys and values are the file's: they must not break out of their line.
    what_ = log::escape(what_);
}

position configuration::origin(const std::string& key) const
{
    const auto found = origins.find(key);
    return found == origins.end() ? position{} : found->second;
}

namespace {

/// The default socket goes to the group wharf where this process may give it away.
bool may_give_to(gid_t group)
{
    if (::geteuid() == 0 || ::getegid() == group)
        return true;
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    return count > 0 && std::find(groups.begin(), groups.end(), group) != groups.end();
}

template <class T>
std::vector<std::string> names_of(const std::vector<key<T>>& keys)
{
    std::vector<std::string> names;
    for (const key<T>& k : keys)
        names.push_back(k.name);
    return names;
}

[[noreturn]] void refuse_unknown(const position& at, const std::string& name,
                                 const std::string& typed, const std::vector<std::string>& known,
                                 const std::string& kind)
{
    const std::string meant = closest(typed, known);
    std::string expected = meant.empty() ? "" : quote(meant);
    // Of many names, those of the same table help; all of them would not.
    const std::string table = typed.substr(0, typed.find('.') + 1);
    for (const std::string& k : known) {
        if (meant.empty() && (known.size() < 10 || (!table.empty() && k.starts_with(table))))
            expected.append(expected.empty() ? "one of " : ", ").append(k);
    }
    if (expected.empty())
        expected = "a key that wharfd.conf(5) lists";
    throw config_error(at, name, "unknown " + kind, expected);
}

template <class T>
void assign(T& into, const std::vector<key<T>>& keys, const std::string& name,
            const std::string& shown, const value& v, const position& name_at,
            const position& value_at)
{
    const auto k = std::find_if(keys.begin(), keys.end(),
                                [&](const key<T>& known) { return known.name == name; });
    if (k == keys.end())
        refuse_unknown(name_at, shown, name, names_of(keys), "key");
    if (const std::string problem = k->set(into, v); !problem.empty()) {
        // Whoever reads endpoints says itself what it expects.
        const bool complete = problem.find("; expected ") != std::string::npos;
        throw config_error(value_at, shown, problem, complete ? "" : k->expected);
    }
}

/// A [[listen]], [[allow]] or [[role]]: returns it and notes where its settings stand.
template <class T>
T read_element(configuration& all, const section& from, const std::vector<key<T>>& keys,
               std::size_t index, std::initializer_list<const char*> required)
{
    T element;
    const std::string prefix = from.name + "[" + std::to_string(index) + "]";
    all.origins[prefix] = from.at;
    for (const setting& s : from.settings) {
        assign(element, keys, s.name, from.name + "." + s.name, s.content, s.name_at, s.content_at);
        all.origins[prefix + "." + s.name] = s.content_at;
    }
    for (const char* name : required) {
        if (!all.origins.contains(prefix + "." + name)) {
            const auto k = std::find_if(keys.begin(), keys.end(),
                                        [&](const key<T>& known) { return known.name == name; });
            throw config_error(from.at, from.name + "." + name, "is missing", k->expected);
        }
    }
    return element;
}

void forget_origins(configuration& all, const std::string& table)
{
    std::erase_if(all.origins, [&](const auto& o) {
        return o.first == table || o.first.starts_with(table + "[");
    });
}

bool is_default(const configuration& all, const std::string& table)
{
    return !all.origins.contains(table) && !all.origins.contains(table + "[0]");
}

/// `listen = []` takes the defaults away and lists nothing; so does `allow = []`.
bool clear_list(configuration& all, const setting& s)
{
    const auto* list = std::get_if<std::vector<std::string>>(&s.content);
    if (!list || !list->empty() || (s.name != "listen" && s.name != "allow"))
        return false;
    if (s.name == "listen" && is_default(all, s.name))
        all.server.listeners.clear();
    if (s.name == "allow" && is_default(all, s.name))
        all.server.allow.clear();
    all.origins[s.name] = s.content_at;
    return true;
}

void add_listener(configuration& all, const section& from)
{
    if (is_default(all, "listen"))
        all.server.listeners.clear();
    all.server.listeners.push_back(
        read_element(all, from, listen_keys(), all.server.listeners.size(), {"endpoint"}));
}

void add_rule(configuration& all, const section& from)
{
    if (is_default(all, "allow"))
        all.server.allow.clear();
    all.server.allow.push_back(read_element(all, from, allow_keys(), all.server.allow.size(),
                                            {"method", "subject", "role"}));
}

void add_role(configuration& all, const section& from)
{
    auto& roles = all.server.roles;
    role_options role = read_element(all, from, role_keys(), roles.size(), {"name", "commands"});
    // The first of a name replaces wharfd's own; `check` refuses the second.
    for (std::size_t i = 0; i < roles.size(); ++i) {
        const std::string prefix = "role[" + std::to_string(i) + "]";
        if (roles[i].name == role.name && !all.origins.contains(prefix)) {
            const std::string read = "role[" + std::to_string(roles.size()) + "]";
            for (const char* key : {"", ".name", ".commands"}) {
                all.origins[prefix + key] = all.origins[read + key];
                all.origins.erase(read + key);
            }
            roles[i] = std::move(role);
            return;
        }
    }
    roles.push_back(std::move(role));
}

void apply_section(configuration& all, const section& from)
{
    const bool is_list = from.name == "listen" || from.name == "allow" || from.name == "role";
    if (is_list != from.repeats) {
        if (is_list)
            throw config_error(from.at, from.name, "is one table", "[[" + from.name + "]]");
        throw config_error(from.at, from.name, "is a list of tables", "[" + from.name + "]");
    }
    if (from.name == "listen")
        return add_listener(all, from);
    if (from.name == "allow")
        return add_rule(all, from);
    if (from.name == "role")
        return add_role(all, from);
    std::vector<std::string> tables{"listen", "allow", "role"};
    bool known = from.name.empty();
    for (const key<configuration>& k : keys()) {
        if (const auto dot = k.name.find('.'); dot != std::string::npos) {
            known = known || k.name.substr(0, dot) == from.name;
            if (tables.back() != k.name.substr(0, dot))
                tables.push_back(k.name.substr(0, dot));
        }
    }
    if (!known)
        refuse_unknown(from.at, from.name, from.name, tables, "table");
    for (const setting& s : from.settings) {
        if (from.name.empty() && clear_list(all, s))
            continue;
        const std::string path = from.name.empty() ? s.name : from.name + "." + s.name;
        assign(all, keys(), path, path, s.content, s.name_at, s.content_at);
        all.origins[path] = s.content_at;
    }
}

std::string read_file(const std::string& file)
{
    std::error_code failed;
    if (std::filesystem::is_directory(file, failed))
        throw config_error({file}, "", "is a directory", "a file");
    std::ifstream in(file, std::ios::binary);
    std::string text;
    if (in) {
        text.resize(file_bytes_max + 1);
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(in.gcount()));
    }
    if (!in.is_open() || in.bad())
        throw config_error({file}, "", std::generic_category().message(errno), "a readable file");
    if (text.size() > file_bytes_max)
        throw config_error({file}, "", "is larger than 1 MiB", "a configuration");
    return text;
}

void apply_drop_ins(configuration& all, const std::string& directory)
{
    std::error_code failed;
    std::vector<std::string> files;
    for (std::filesystem::directory_iterator i(directory, failed), end; !failed && i != end;
         i.increment(failed)) {
        if (i->path().extension() == ".conf")
            files.push_back(i->path().string());
    }
    if (failed && failed != std::errc::no_such_file_or_directory)
        throw config_error({directory}, "", failed.message(), "a readable directory");
    std::sort(files.begin(), files.end());
    for (const std::string& file : files)
        apply_toml(all, read_file(file), file);
}

void apply_option(configuration& all, const std::string& source, const std::string& name,
                  const value& v)
{
    const position at{source};
    assign(all, keys(), name, name, v, at, at);
    all.origins[name] = at;
}

void apply_command_line(configuration& all, const overrides& above)
{
    if (!above.listen.empty())
        forget_origins(all, "listen");
    for (const std::string& text : above.listen) {
        const position at{"--listen"};
        add_listener(all, {"listen", at, true, {{"endpoint", at, text, at}}});
    }
    for (const std::string& text : above.settings) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            throw config_error({"--set"}, text, "has no value", "key=value");
        apply_option(all, "--set", text.substr(0, equals), parse_value(text.substr(equals + 1)));
    }
    for (const overrides::option& o : above.options) {
        value v = o.value;
        std::int64_t number = 0;
        const char* end = o.value.data() + o.value.size();
        if (std::from_chars(o.value.data(), end, number).ptr == end && !o.value.empty())
            v = number;
        apply_option(all, o.name, o.key, v);
    }
}

} // namespace

configuration defaults()
{
    configuration all;
    listener_options local;
    local.where = parse_endpoint(default_endpoint);
    all.server.roles = {{"admin", {"*"}}, {"user", {"objects.*", "system.*"}}};
    all.server.allow = {{"*", "unix", "uid:0", "admin"}, {"*", "unix", "self", "admin"}};
    if (const ::group* wharf = ::getgrnam("wharf")) {
        all.server.allow.push_back({"*", "unix", "group:wharf", "user"});
        if (may_give_to(wharf->gr_gid))
            local.unix_group = "wharf";
    }
    else {
        all.notes.push_back("there is no group wharf: by default only root and the daemon's own "
                            "user may connect");
    }
    all.server.listeners = {std::move(local)};
    return all;
}

void apply_toml(configuration& into, std::string_view text, const std::string& file)
{
    std::vector<section> sections = parse_toml(text, file);
    // toml++ sorts tables by name: what is wrong first in the file is said first.
    std::stable_sort(sections.begin(), sections.end(),
                     [](const section& a, const section& b) { return a.at.line < b.at.line; });
    for (const section& s : sections)
        apply_section(into, s);
}

configuration read(const overrides& above)
{
    configuration all = defaults();
    if (!above.state_directory.empty())
        apply_option(all, "$STATE_DIRECTORY", "state_directory", above.state_directory);
    std::error_code failed;
    const std::string file = above.file.empty() ? above.default_file : above.file;
    // Only the default file may be absent.
    if (!above.file.empty() || std::filesystem::exists(file, failed) || failed)
        apply_toml(all, read_file(file), file);
    apply_drop_ins(all, file + ".d");
    if (!above.credential.empty())
        apply_toml(all, read_file(above.credential), above.credential);
    apply_command_line(all, above);
    if (!is_default(all, "allow"))
        all.notes.clear();
    for (listener_options& l : all.server.listeners)
        l.tcp = all.tcp;
    return all;
}

configuration load(const overrides& above)
{
    configuration all = read(above);
    check(all);
    return all;
}

} // namespace wharf::config
