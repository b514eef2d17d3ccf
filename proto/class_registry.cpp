// The classes that this process can load by their export keys, and store by their types.
#include <wharf/archive/class_entry.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <typeindex>
#include <unordered_map>

namespace wharf::detail {
namespace {

struct registry {
    std::shared_mutex mutex;
    std::unordered_map<std::type_index, const class_entry*> by_type;
    std::unordered_map<std::string_view, const class_entry*> by_key;
    std::unordered_map<std::string_view, const class_entry*> conflicts; ///< the second of a key
    std::map<std::pair<const class_entry*, std::type_index>, std::ptrdiff_t> bases;
};

/// Never destroyed: static destructors may still store and load.
registry& all()
{
    static registry& instance = *new registry;
    return instance;
}

} // namespace

unsigned assign_class_number(const class_entry& entry) noexcept
{
    static constinit std::atomic<unsigned> next{1};
    unsigned expected = 0;
    const unsigned mine = next.fetch_add(1, std::memory_order_relaxed);
    return entry.number.compare_exchange_strong(expected, mine, std::memory_order_relaxed)
               ? mine
               : expected;
}

void register_class(const class_entry& entry)
{
    registry& classes = all();
    const std::unique_lock lock(classes.mutex);
    if (!classes.by_type.emplace(*entry.type, &entry).second)
        return;
    const char* key = entry.key();
    if (key == nullptr)
        return;
    if (!classes.by_key.emplace(key, &entry).second)
        classes.conflicts.emplace(key, &entry);
}

const class_entry* find_class(const std::type_info& type)
{
    registry& classes = all();
    const std::shared_lock lock(classes.mutex);
    const auto found = classes.by_type.find(type);
    return found == classes.by_type.end() ? nullptr : found->second;
}

const class_entry* find_class(std::string_view key)
{
    registry& classes = all();
    const std::shared_lock lock(classes.mutex);
    const auto found = classes.by_key.find(key);
    return found == classes.by_key.end() ? nullptr : found->second;
}

std::vector<const class_entry*> keyed_classes()
{
    std::vector<const class_entry*> keyed;
    registry& classes = all();
    {
        const std::shared_lock lock(classes.mutex);
        for (const auto& [key, entry] : classes.by_key)
            if (!classes.conflicts.contains(key))
                keyed.push_back(entry);
    }
    std::sort(keyed.begin(), keyed.end(), [](const class_entry* a, const class_entry* b) {
        return std::string_view(a->key()) < b->key();
    });
    return keyed;
}

std::ptrdiff_t known_base(const class_entry& entry, const std::type_info& base, void* object,
                          std::ptrdiff_t (*find)(const class_entry&, void*))
{
    registry& classes = all();
    const std::pair pair(&entry, std::type_index(base));
    {
        const std::shared_lock lock(classes.mutex);
        const auto found = classes.bases.find(pair);
        if (found != classes.bases.end())
            return found->second;
    }
    const std::ptrdiff_t distance = find(entry, object);
    const std::unique_lock lock(classes.mutex);
    return classes.bases.emplace(pair, distance).first->second;
}

std::string key_conflict(std::string_view key)
{
    registry& classes = all();
    const std::shared_lock lock(classes.mutex);
    const auto second = classes.conflicts.find(key);
    if (second == classes.conflicts.end())
        return {};
    return "the export key \"" + std::string(key) + "\" is given to " +
           boost::core::demangle(classes.by_key.at(key)->type->name()) + " and to " +
           boost::core::demangle(second->second->type->name());
}

std::string any_key_conflict()
{
    std::string_view first;
    {
        registry& classes = all();
        const std::shared_lock lock(classes.mutex);
        for (const auto& [key, entry] : classes.conflicts)
            if (first.empty() || key < first)
                first = key;
    }
    return first.empty() ? std::string() : key_conflict(first);
}

} // namespace wharf::detail
