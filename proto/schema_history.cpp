// The histories of types: built with all versions, and believed where check_versions finds nothing.
#include <wharf/schema_history.hpp>

#include "schema_builder.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

namespace wharf {

bool schema_history::is_valid() const noexcept
{
    const std::size_t n = types.types().size();
    return types.is_valid() &&
           std::all_of(older.begin(), older.end(),
                       [n](const older_class& each) { return each.type < n && each.layout < n; });
}

const schema_type* schema_history::find(std::uint32_t type, std::uint32_t version) const noexcept
{
    const schema_type& newest = types.types()[type];
    if (newest.version == version)
        return &newest;
    for (const older_class& each : older)
        if (each.type == type && each.version == version)
            return &types.types()[each.layout];
    return nullptr;
}

namespace detail {
namespace {

struct known_histories {
    std::mutex mutex;
    std::map<const message_type*, schema_history> by_type;
};

/// Never destroyed: as the types, of which there are as many as the program has types.
known_histories& all()
{
    static known_histories& instance = *new known_histories;
    return instance;
}

schema_history make_history(const message_type& type)
{
    // The newest versions are as schema_of() has them, with what it found opaque.
    const schema& newest = find_schema(type);
    if (!newest.is_walkable())
        return {newest, {}};
    built_history built = build_history(*type.shape);
    for (const version_problem& problem : find_version_problems(type))
        for (built_history::entry& each : built.older)
            if (each.name == problem.type && each.version == problem.version) {
                schema_type& layout = built.types.emplace_back();
                layout.name = problem.why;
                each.layout = static_cast<std::uint32_t>(built.types.size() - 1);
            }
    schema_history made{schema(std::move(built.types)), {}};
    for (const built_history::entry& each : built.older)
        made.older.push_back({each.type, each.version, each.layout});
    std::sort(made.older.begin(), made.older.end(), [](const older_class& a, const older_class& b) {
        return std::tie(a.type, a.version) < std::tie(b.type, b.version);
    });
    return made;
}

} // namespace

const schema_history& find_history(const message_type& type)
{
    known_histories& known = all();
    {
        const std::lock_guard lock(known.mutex);
        if (const auto found = known.by_type.find(&type); found != known.by_type.end())
            return found->second;
    }
    // Without the lock: this calls functions of the user's classes.
    schema_history made = make_history(type);
    const std::lock_guard lock(known.mutex);
    return known.by_type.try_emplace(&type, std::move(made)).first->second;
}

} // namespace detail
} // namespace wharf
