// Stored objects from a shell.
#include "ctl_objects.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_program.hpp"
#include "ctl_rows.hpp"

#include <wharf/json.hpp>
#include <wharf/objects.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace wharf::ctl {

namespace {

/// What the command line says of one object.
struct object_arguments {
    std::string key;
    value_source value;
    std::uint64_t expected = 0;
    std::optional<std::uint64_t> revision;
    std::string file; ///< where get writes to; "-" or empty: standard output
    bool raw = false;
};
using shared_arguments = std::shared_ptr<object_arguments>;

int print_revision(const context& c, const std::string& key, objects::written what)
{
    print(c.as_json ? json_fields().add("key", key).add("revision", what.revision).line()
                    : std::to_string(what.revision) + "\n");
    return 0;
}

/// The object's value as JSON, by the schema that the daemon keeps.
std::string json_of(blocking_client& client, const objects::object& from, const std::string& key)
{
    const schema type = client.call(objects::find_schema{from.fingerprint});
    try {
        return to_json(type, from.value);
    }
    catch (const error& e) {
        throw local_error{key + " cannot be shown as JSON (" + e.what() +
                          "): `wharfctl get --raw` writes its bytes"};
    }
}

/// As JSON where it is told to, or a terminal asks and the object knows its type; else its bytes.
int get(context& c, const object_arguments& what)
{
    if (c.as_json && what.raw)
        throw usage_error{"--raw and --json exclude each other"};
    const objects::object found = c.client().call(objects::get{what.key});
    const bool to_file = !what.file.empty() && what.file != "-";
    if (c.as_json && found.fingerprint == 0)
        throw local_error{what.key + " was stored without a type: leave --json out"};
    const bool as_json =
        c.as_json || (found.fingerprint != 0 && !what.raw && !to_file && on_terminal());
    if (!as_json) {
        write_value(found.value, what.file);
        return 0;
    }
    const std::string text = json_of(c.client(), found, what.key);
    if (!to_file) {
        print_json(text, c.as_json);
        return 0;
    }
    const std::string line = json_line(text) + "\n";
    const auto* bytes = reinterpret_cast<const std::byte*>(line.data());
    write_value({bytes, bytes + line.size()}, what.file);
    return 0;
}

/// The keys that begin with `prefix`, page by page, at most `limit` of them (0: all).
int list(context& c, const std::string& prefix, std::uint64_t limit)
{
    constexpr column columns[] = {
        {"KEY", "key"}, {"REVISION", "revision"}, {"SIZE", "size"}, {"TYPE", "type"}};
    std::uint64_t shown = 0;
    objects::list ask{prefix, "", objects::page_entries_max};
    for (bool more = true; more && (limit == 0 || shown < limit);) {
        if (limit != 0)
            ask.limit = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(limit - shown, objects::page_entries_max));
        const objects::page page = c.client().call(ask);
        std::vector<std::vector<cell>> rows;
        for (const objects::entry& each : page.entries) {
            cell type;
            if (each.fingerprint != 0)
                type = objects::fingerprint_text(each.fingerprint);
            rows.push_back({each.key, each.revision, each.size, type});
        }
        print_rows(c, columns, rows);
        shown += page.entries.size();
        more = page.more && !page.entries.empty();
        if (more)
            ask.after = page.entries.back().key;
    }
    return 0;
}

CLI::Option* add_key(CLI::App* to, const shared_arguments& a)
{
    return to->add_option("KEY", a->key, "The object's key")->required();
}

void add_value(CLI::App* to, const shared_arguments& a)
{
    auto* text =
        to->add_option("VALUE", a->value.text, "The value; else --file, else standard input");
    to->add_option("-f,--file", a->value.file, "Read the value from a file; -: standard input")
        ->option_text("FILE")
        ->excludes(text);
}

void add_get(CLI::App& app, program& to)
{
    auto* get_it = app.add_subcommand("get", "Write an object's value to standard output");
    const auto a = std::make_shared<object_arguments>();
    add_key(get_it, a);
    get_it->add_option("-o,--output", a->file, "Write it to a file instead")->option_text("FILE");
    get_it->add_flag("--raw", a->raw, "Its bytes, on a terminal too");
    get_it->callback([&to, a] { to.run = [a](context& c) { return get(c, *a); }; });
}

void add_changes(CLI::App& app, program& to)
{
    auto* put = app.add_subcommand("put", "Store a value under a key; prints its revision");
    auto a = std::make_shared<object_arguments>();
    add_key(put, a);
    add_value(put, a);
    put->callback([&to, a] {
        to.run = [a](context& c) {
            const objects::put command{a->key, read_value(a->value)};
            return print_revision(c, a->key, c.client().call(command));
        };
    });

    auto* cas = app.add_subcommand("cas", "Store a value if the object is at a revision");
    a = std::make_shared<object_arguments>();
    add_key(cas, a);
    cas->add_option("REVISION", a->expected, "The revision it must have; 0: it must not exist")
        ->required();
    add_value(cas, a);
    cas->callback([&to, a] {
        to.run = [a](context& c) {
            const objects::cas command{a->key, a->expected, read_value(a->value)};
            return print_revision(c, a->key, c.client().call(command));
        };
    });

    auto* erase = app.add_subcommand("erase", "Remove an object");
    a = std::make_shared<object_arguments>();
    add_key(erase, a);
    erase->add_option("-r,--revision", a->revision, "Only if the object is at this revision")
        ->option_text("REVISION");
    erase->callback([&to, a] {
        to.run = [a](context& c) {
            const objects::written done = c.client().call(objects::erase{a->key, a->revision});
            return c.as_json ? print_revision(c, a->key, done) : 0;
        };
    });
}

} // namespace

void add_objects(CLI::App& app, program& to)
{
    add_get(app, to);
    add_changes(app, to);
    auto* ls = app.add_subcommand("ls", "Keys, revisions, sizes and types of objects");
    const auto prefix = std::make_shared<std::string>();
    const auto limit = std::make_shared<std::uint64_t>(0);
    ls->add_option("PREFIX", *prefix, "Only keys that begin so");
    ls->add_option("-n,--limit", *limit, "At most so many; 0: all")->option_text("COUNT");
    ls->callback([&to, prefix, limit] {
        to.run = [prefix, limit](context& c) { return list(c, *prefix, *limit); };
    });
}

} // namespace wharf::ctl
