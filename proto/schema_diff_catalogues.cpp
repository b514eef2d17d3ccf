// Two catalogues side by side: commands by their names, stored types by name or by likeness.
#include "schema_diff.hpp"

#include <algorithm>
#include <map>

namespace wharf {
namespace {

using changes = std::vector<schema_change>;

void append(changes& to, changes from)
{
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

schema_change make_change(schema_verdict verdict, schema_change_kind kind,
                          const std::string& command, const char* role, std::string why)
{
    return {verdict, kind, command, role, role, std::move(why)};
}

void compare_streams(changes& to, const std::string& command, const char* role,
                     const std::optional<schema_history>& before,
                     const std::optional<schema_history>& after, schema_use use)
{
    if (before && after)
        append(to, compare_types(*before, *after, use, command, role));
    else if (before || after)
        to.push_back(make_change(schema_verdict::broken, schema_change_kind::stream_changed,
                                 command, role,
                                 std::string(after ? "it is a stream now" : "it is no stream now") +
                                     ": each refuses the other's calls; give the new form a name "
                                     "of its own"));
}

bool has_order(const changes& all, std::string_view first)
{
    return std::any_of(all.begin(), all.end(), [&](const schema_change& each) {
        return each.verdict == schema_verdict::warn && each.why.ends_with(first);
    });
}

changes compare_commands(const command_history& before, const command_history& after)
{
    const std::string& name = before.command;
    changes found =
        compare_types(before.argument, after.argument, schema_use::to_daemon, name, "argument");
    const bool is_stream = before.items.has_value() || after.items.has_value();
    if (!is_stream)
        append(found,
               compare_types(before.reply, after.reply, schema_use::to_client, name, "reply"));
    compare_streams(found, name, "items", before.items, after.items, schema_use::to_client);
    compare_streams(found, name, "upload", before.upload, after.upload, schema_use::to_daemon);
    if (has_order(found, "update the daemons first") &&
        has_order(found, "update the clients first"))
        found.push_back(make_change(
            schema_verdict::broken, schema_change_kind::deployment_order, name, "",
            "one change wants the daemons updated first, another the clients: neither order works; "
            "change one part, deploy that, then the other"));
    return found;
}

/// Members of the whole that have the same name.
std::size_t likeness(const schema_history& a, const schema_history& b)
{
    const auto& in = b.types.root().fields;
    return static_cast<std::size_t>(std::count_if(
        a.types.root().fields.begin(), a.types.root().fields.end(), [&](const auto& field) {
            return std::any_of(in.begin(), in.end(),
                               [&](const auto& each) { return each.name == field.name; });
        }));
}

/// The later type of objects that were stored before; null where none is like it.
const stored_history* find_later(const stored_history& before, const schema_catalogue& after)
{
    for (const stored_history& each : after.objects)
        if (each == before)
            return &each;
    const stored_history* best = nullptr;
    std::size_t most = 0;
    for (const stored_history& each : after.objects) {
        if (!before.name.empty() && each.name == before.name)
            return &each;
        if (!before.name.empty() && !each.name.empty())
            continue;
        if (each.type.types.fingerprint() == before.type.types.fingerprint())
            return &each;
        if (const std::size_t shared = likeness(before.type, each.type); shared > most) {
            most = shared;
            best = &each;
        }
    }
    return best;
}

template <class Entry>
std::map<std::string, const Entry*> by_name(const std::vector<Entry>& all)
{
    std::map<std::string, const Entry*> named;
    for (const Entry& each : all)
        named.emplace(each.command, &each);
    return named;
}

} // namespace

std::vector<schema_change> compare_catalogues(const schema_catalogue& before,
                                              const schema_catalogue& after)
{
    changes found;
    const auto had = by_name(before.commands), has = by_name(after.commands);
    for (const auto& [name, entry] : had) {
        const auto now = has.find(name);
        if (now == has.end())
            found.push_back(make_change(schema_verdict::broken, schema_change_kind::command_removed,
                                        name, "",
                                        "it is gone: whoever calls it is refused; serve it until "
                                        "no client calls it"));
        else
            append(found, compare_commands(*entry, *now->second));
    }
    for (const auto& [name, entry] : has)
        if (!had.contains(name))
            found.push_back(make_change(schema_verdict::ok, schema_change_kind::command_added, name,
                                        "", "it is new: nobody calls it yet"));
    for (const stored_history& each : before.objects)
        if (const stored_history* now = find_later(each, after))
            append(found, compare_types(each.type, now->type, schema_use::stored,
                                        now->name.empty() ? each.name : now->name, "stored"));
    return found;
}

} // namespace wharf
