// Which commands of a router could not be answered for an older peer, found before there is one.
#include "class_list.hpp"
#include "schema_builder.hpp"

#include <wharf/detail/command_types.hpp>
#include <wharf/schema.hpp>
#include <wharf/service.hpp>

#include <algorithm>
#include <set>

namespace wharf {

std::vector<std::string> router::find_version_problems() const
{
    std::vector<std::string> problems;
    std::set<std::pair<std::string, std::uint32_t>> known; // a class may be in many commands
    for (const auto& [name, entry] : commands_) {
        if (entry.types == nullptr)
            continue;
        const detail::command_types& types = *entry.types;
        const auto& classes = detail::class_list_of(types).classes;
        if (std::all_of(classes.begin(), classes.end(),
                        [](const auto& each) { return each.shape->version == 0; }))
            continue;
        for (const auto* type : {types.argument, types.reply, types.items, types.upload}) {
            // Of a type that is no message even at its newest versions, nothing can be said.
            if (type == nullptr || !detail::find_flaw(*type, {}).empty())
                continue;
            for (const version_problem& each : detail::find_version_problems(*type))
                if (known.emplace(each.type, each.version).second)
                    problems.push_back(name + ": " + each.type +
                                       " cannot be stored for a peer that knows version " +
                                       std::to_string(each.version) + " of it: " + each.why);
        }
    }
    return problems;
}

} // namespace wharf
