// Prints a configuration as the TOML that gives it, with the origin of each value.
#include "config.hpp"
#include "config_keys.hpp"

#include "log_format.hpp"

#include <utility>

namespace wharf::config {

namespace {

/// A comment that cannot end its line, whatever the file's name is.
std::string comment(const position& where)
{
    return " # " + log::escape(where.line == 0 ? where.source
                                               : where.source + ":" + std::to_string(where.line));
}

template <class T>
std::string print_elements(const configuration& all, const char* table,
                           const std::vector<key<T>>& keys, const std::vector<T>& elements)
{
    std::string out;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const std::string prefix = std::string(table) + "[" + std::to_string(i) + "]";
        out.append("\n[[").append(table).append("]]").append(comment(all.origin(prefix)));
        out += '\n';
        for (const key<T>& k : keys) {
            // Optional texts that are not set have no notation of their own.
            const std::string printed = k.print(elements[i]);
            if (printed == "\"\"" || (!all.origins.contains(prefix + "." + k.name) &&
                                      all.origins.contains(prefix) && printed == k.print(T{})))
                continue;
            out += k.name + " = " + printed + comment(all.origin(prefix + "." + k.name)) + "\n";
        }
    }
    return out;
}

template <class T>
void describe_elements(std::vector<std::pair<std::string, std::string>>& out, const char* table,
                       const std::vector<key<T>>& keys)
{
    for (const key<T>& k : keys)
        out.emplace_back(std::string(table) + "." + k.name, k.print(T{}));
}

} // namespace

std::string print(const configuration& all)
{
    std::string out, table;
    for (const key<configuration>& k : keys()) {
        const auto dot = k.name.find('.');
        const std::string of = dot == std::string::npos ? "" : k.name.substr(0, dot);
        if (of != table) {
            out += "\n[" + of + "]\n";
            table = of;
        }
        out += k.name.substr(dot == std::string::npos ? 0 : dot + 1) + " = " + k.print(all) +
               comment(all.origin(k.name)) + "\n";
    }
    out += print_elements(all, "listen", listen_keys(), all.server.listeners);
    out += print_elements(all, "allow", allow_keys(), all.server.allow);
    out += print_elements(all, "role", role_keys(), all.server.roles);
    return out;
}

std::vector<std::pair<std::string, std::string>> describe(const configuration& all)
{
    std::vector<std::pair<std::string, std::string>> out;
    for (const key<configuration>& k : keys())
        out.emplace_back(k.name, k.print(all));
    describe_elements(out, "listen", listen_keys());
    describe_elements(out, "allow", allow_keys());
    describe_elements(out, "role", role_keys());
    return out;
}

} // namespace wharf::config
