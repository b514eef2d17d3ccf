// Reads TOML by toml++; the only file that includes it.
#include "config_toml.hpp"

#include <toml++/toml.h>

#include <utility>

namespace wharf::config {

namespace {

position to_position(const toml::source_region& region, const std::string& file)
{
    return {file, static_cast<std::uint32_t>(region.begin.line),
            static_cast<std::uint32_t>(region.begin.column)};
}

std::optional<std::vector<std::string>> to_list(const toml::array& from)
{
    std::vector<std::string> list;
    for (const toml::node& element : from) {
        const auto text = element.value_exact<std::string>();
        if (!text)
            return {};
        list.push_back(*text);
    }
    return list;
}

std::optional<value> to_value(const toml::node& from)
{
    if (const auto b = from.value_exact<bool>())
        return value(*b);
    if (const auto n = from.value_exact<std::int64_t>())
        return value(*n);
    if (const auto d = from.value_exact<double>())
        return value(*d);
    if (const auto s = from.value_exact<std::string>())
        return value(*s);
    if (const toml::array* list = from.as_array()) {
        if (auto texts = to_list(*list))
            return value(std::move(*texts));
    }
    return {};
}

class reader {
public:
    explicit reader(const std::string& file) : file_(file) {}

    std::vector<section> read(const toml::table& root)
    {
        out_.push_back({"", {file_, 1, 1}, false, {}});
        for (const auto& [name, node] : root) {
            const std::string text(name.str());
            if (const toml::table* table = node.as_table()) {
                read_table(text, *table, to_position(name.source(), file_), false);
            }
            else if (is_list_of_tables(node)) {
                for (const toml::node& element : *node.as_array())
                    read_table(text, *element.as_table(), to_position(element.source(), file_),
                               true);
            }
            else {
                add(out_.front(), text, name, node);
            }
        }
        return std::move(out_);
    }

private:
    static bool is_list_of_tables(const toml::node& node)
    {
        const toml::array* list = node.as_array();
        return list && !list->empty() && list->is_homogeneous(toml::node_type::table);
    }

    void read_table(const std::string& name, const toml::table& table, position at, bool repeats)
    {
        section s{name, std::move(at), repeats, {}};
        for (const auto& [key, node] : table)
            add(s, name + "." + std::string(key.str()), key, node);
        out_.push_back(std::move(s));
    }

    void add(section& to, const std::string& path, const toml::key& name, const toml::node& node)
    {
        position at = to_position(node.source(), file_);
        auto content = to_value(node);
        if (!content) {
            throw config_error(std::move(at), path, "a value of this kind fits no key",
                               "a text, a number, true, false or a list of texts");
        }
        to.settings.push_back({std::string(name.str()), to_position(name.source(), file_),
                               std::move(*content), std::move(at)});
    }

    const std::string& file_;
    std::vector<section> out_;
};

} // namespace

std::vector<section> parse_toml(std::string_view text, const std::string& file)
{
    try {
        return reader(file).read(toml::parse(text, file));
    }
    catch (const toml::parse_error& e) {
        throw config_error(to_position(e.source(), file), "syntax", std::string(e.description()),
                           "TOML");
    }
}

value parse_value(const std::string& text)
{
    try {
        const toml::table parsed = toml::parse("value = " + text);
        if (parsed.size() == 1) {
            if (auto content = to_value(*parsed.get("value")))
                return std::move(*content);
        }
    }
    catch (const toml::parse_error&) {
        // A bare word: the shell has eaten its quotes.
    }
    return text;
}

} // namespace wharf::config
