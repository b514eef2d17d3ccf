// Which classes a command's messages hold, and how they are named between programs.
#include "class_list.hpp"

#include "frame.hpp"
#include "schema_builder.hpp"
#include "siphash.hpp"

#include <wharf/archive/class_entry.hpp>
#include <wharf/detail/step_down.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace wharf::detail {
namespace {

/// Of the hash that names a class: "wharf class v1".
constexpr siphash_key name_key{0x6c63206672616877, 0x0000317620737361};

/// By its export key, which stays when the class is renamed, else by its name in C++, which all
/// compilers of one ABI mangle alike.
std::uint64_t id_of(const class_shape& shape)
{
    const class_entry* entry = find_class(*shape.type);
    const char* key = entry == nullptr ? nullptr : entry->key();
    const std::string name =
        key != nullptr ? "k" + std::string(key) : "t" + std::string(shape.type->name());
    return siphash(name_key, std::as_bytes(std::span(name.data(), name.size())));
}

void add_classes(class_list& to, const message_type* of)
{
    if (of == nullptr)
        return;
    const built_schema built = build_schema(*of->shape, {});
    std::vector<bool> is_derived(built.types.size());
    for (const schema_type& type : built.types)
        for (const schema_derived& each : type.derived) {
            const schema_type& object = built.types[each.type];
            is_derived[object.kind == schema_kind::constructed ? object.parts[0] : each.type] =
                true;
        }
    for (const auto& [shape, place] : built.places) {
        if (!shape->has_version)
            continue;
        listed_class listed{id_of(*shape), shape, nullptr};
        const class_entry* entry = find_class(*shape->type);
        if (is_derived[place] && entry != nullptr && entry->key() != nullptr)
            listed.derived = entry;
        to.classes.push_back(listed);
    }
}

class_list make_class_list(const command_types& of)
{
    class_list made;
    for (const message_type* each : {of.argument, of.reply, of.items, of.upload})
        add_classes(made, each);
    // A class in several messages once: as a derived one where it is that in any.
    std::sort(
        made.classes.begin(), made.classes.end(), [](const listed_class& a, const listed_class& b) {
            return std::pair(a.id, a.derived == nullptr) < std::pair(b.id, b.derived == nullptr);
        });
    const auto same = [](const listed_class& a, const listed_class& b) { return a.id == b.id; };
    made.classes.erase(std::unique(made.classes.begin(), made.classes.end(), same),
                       made.classes.end());
    made.told.resize(made.classes.size() * class_entry_bytes);
    std::byte* to = made.told.data();
    for (const listed_class& each : made.classes) {
        store_le(to, each.id);
        store_le(to + sizeof each.id, each.shape->version);
        to += class_entry_bytes;
    }
    return made;
}

struct known_lists {
    std::mutex mutex;
    std::map<const command_types*, std::unique_ptr<const class_list>> by_command;
};

/// Never destroyed: connections of static objects may still open.
known_lists& all()
{
    static known_lists& instance = *new known_lists;
    return instance;
}

} // namespace

const class_list& class_list_of(const command_types& of)
{
    known_lists& known = all();
    {
        const std::unique_lock held(known.mutex);
        if (const auto found = known.by_command.find(&of); found != known.by_command.end())
            return *found->second;
    }
    // Without the lock, as functions of the user's classes run. Another thread may be faster.
    auto made = std::make_unique<const class_list>(make_class_list(of));
    const std::unique_lock held(known.mutex);
    return *known.by_command.try_emplace(&of, std::move(made)).first->second;
}

std::span<const std::byte> classes_of(const command_types& of)
{
    return class_list_of(of).told;
}

const std::byte* find_class_version(std::span<const std::byte> told, std::uint64_t id) noexcept
{
    std::size_t first = 0;
    std::size_t end = told.size() / class_entry_bytes;
    while (first != end) {
        const std::size_t middle = first + (end - first) / 2;
        const std::byte* at = told.data() + middle * class_entry_bytes;
        const auto found = load_le<std::uint64_t>(at);
        if (found == id)
            return at + sizeof id;
        if (found < id)
            first = middle + 1;
        else
            end = middle;
    }
    return nullptr;
}

} // namespace wharf::detail
