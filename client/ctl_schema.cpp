// Schemas as a file that is kept beside the source, and compared with what runs.
#include "ctl_schema.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_program.hpp"
#include "ctl_text.hpp"

#include <wharf/detail/near_names.hpp>
#include <wharf/endpoint.hpp>
#include <wharf/objects.hpp>
#include <wharf/schema_diff.hpp>
#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace wharf::ctl {
namespace {

/// Objects that are looked at for their types: a store may have any number.
constexpr std::uint64_t objects_max = 1'000'000;

struct export_arguments {
    std::vector<std::string> commands;
    std::string file;
};

bool has(const std::vector<std::string>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Of all objects that the caller may list.
void add_stored_types(blocking_client& client, schema_catalogue& to)
{
    std::set<std::uint64_t> types;
    std::uint64_t seen = 0;
    objects::list ask{"", "", objects::page_entries_max};
    for (bool more = true; more;) {
        const objects::page page = client.call(ask);
        for (const objects::entry& each : page.entries)
            types.insert(each.fingerprint);
        seen += page.entries.size();
        more = page.more && !page.entries.empty();
        if (more && seen >= objects_max) {
            std::fprintf(stderr,
                         "wharfctl: of more than %ju objects, only the types of these many were "
                         "looked at\n",
                         std::uintmax_t{objects_max});
            break;
        }
        if (more)
            ask.after = page.entries.back().key;
    }
    types.erase(0);
    for (const std::uint64_t fingerprint : types)
        to.objects.push_back({"", {client.call(objects::find_schema{fingerprint}), {}}});
}

schema_catalogue ask_daemon(blocking_client& client, const std::vector<std::string>& wanted)
{
    const std::vector<std::string> names = client.call(system::list{});
    for (const std::string& each : wanted) {
        if (has(names, each))
            continue;
        const std::string meant = detail::suggest_name(each, names);
        throw local_error{"no command that you may call has the name " + each +
                          (meant.empty() ? ":" : meant) +
                          " `wharfctl list` shows those that you may call"};
    }
    schema_catalogue found;
    for (const std::string& each : names)
        if (wanted.empty() || has(wanted, each))
            found.commands.push_back(make_history(client.call(system::describe{each})));
    if (wanted.empty() && has(names, objects::list::name) && has(names, objects::find_schema::name))
        add_stored_types(client, found);
    return found;
}

int export_schemas(context& c, const export_arguments& what)
{
    const std::string text = to_json(ask_daemon(c.client(), what.commands));
    if (what.file.empty() || what.file == "-") {
        print(text);
        return 0;
    }
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    write_value({bytes, bytes + text.size()}, what.file);
    return 0;
}

bool is_file(const std::string& name)
{
    struct stat found {};
    return name == "-" || ::stat(name.c_str(), &found) == 0;
}

/// A file; or the endpoint of a daemon, which is asked.
schema_catalogue read_schemas(const context& c, const std::string& from)
{
    if (!is_file(from)) {
        if (from.find(':') == from.npos)
            throw local_error{"there is no file " + from +
                              ": give a file that `wharfctl schema export -o` wrote, or the "
                              "endpoint of a daemon"};
        try {
            blocking_client client(from, c.options);
            return ask_daemon(client, {});
        }
        catch (const error& e) {
            throw local_error{from + ": " + e.what()};
        }
    }
    try {
        return catalogue_from_json(read_text(from == "-" ? "" : from));
    }
    catch (const error& e) {
        throw local_error{from + " is no file of schemas: " + e.text() +
                          ": `wharfctl schema export -o FILE` writes one"};
    }
}

std::string coloured(const style& look, schema_verdict verdict)
{
    const std::string name(to_name(verdict));
    return verdict == schema_verdict::ok     ? look.green(name)
           : verdict == schema_verdict::warn ? look.yellow(name)
                                             : look.red(name);
}

/// "store.put argument.items[].price"
std::string place_of(const schema_change& change)
{
    return escape(change.command) + (change.path.empty() ? "" : " " + escape(change.path));
}

std::string line_of(const context& c, const schema_change& change)
{
    if (c.as_json)
        return json_fields()
            .add("verdict", to_name(change.verdict))
            .add("kind", to_name(change.kind))
            .add("command", change.command)
            .add("role", change.role)
            .add("path", change.path)
            .add("why", change.why)
            .line();
    if (!on_terminal())
        return std::string(to_name(change.verdict)) + '\t' + std::string(to_name(change.kind)) +
               '\t' + escape(change.command) + '\t' + escape(change.path) + '\t' +
               escape(change.why) + '\n';
    return coloured(c.out, change.verdict) + " " + c.out.bold(place_of(change)) + " " +
           std::string(to_name(change.kind)) + "\n    " + escape(change.why) + "\n";
}

int compare_schemas(context& c, const std::string& before, const std::string& after)
{
    const schema_catalogue was = read_schemas(c, before);
    const schema_catalogue is = read_schemas(c, after);
    const std::vector<schema_change> changes = compare_catalogues(was, is);
    std::size_t counts[3]{};
    std::string text;
    for (const schema_change& each : changes) {
        text += line_of(c, each);
        ++counts[static_cast<std::size_t>(each.verdict)];
    }
    if (!c.as_json && on_terminal())
        text += changes.empty()
                    ? "nothing changed\n"
                    : std::to_string(counts[2]) + " break, " + std::to_string(counts[1]) +
                          " warn, " + std::to_string(counts[0]) + " ok\n";
    print(text);
    return static_cast<int>(worst_of(changes));
}

} // namespace

void add_schema(CLI::App& app, program& to)
{
    auto* schema = app.add_subcommand(
        "schema", "Write down what all messages look like; compare that with later programs");
    schema->require_subcommand(1);

    auto* exported = schema->add_subcommand(
        "export", "The schemas of commands and stored objects, as a file of JSON");
    const auto what = std::make_shared<export_arguments>();
    exported->add_option("COMMAND", what->commands, "Only these commands, and no stored objects");
    exported->add_option("-o,--output", what->file, "Write to a file instead of standard output")
        ->option_text("FILE");
    exported->callback(
        [&to, what] { to.run = [what](context& c) { return export_schemas(c, *what); }; });

    auto* diff = schema->add_subcommand(
        "diff", "What changed, and whether old and new programs understand each other");
    const auto files = std::make_shared<std::pair<std::string, std::string>>();
    diff->add_option("OLD", files->first, "A file of schema export, or a daemon's endpoint")
        ->required();
    diff->add_option("NEW", files->second, "The later one: a file or an endpoint")->required();
    diff->footer("Exit codes: 0 all changes are ok, 1 some are warnings, 2 something breaks (or "
                 "the\ncommand line is wrong), 6 a file or daemon cannot be read.");
    diff->callback([&to, files] {
        to.run = [files](context& c) { return compare_schemas(c, files->first, files->second); };
    });
}

} // namespace wharf::ctl
