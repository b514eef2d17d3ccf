// Objects that serialize() functions keep beside an archive: helpers, and the user's context.
#pragma once

#include <memory>
#include <typeinfo>
#include <vector>

namespace wharf::detail {

/// Helpers by identifier and type: by identifier alone, one type's helper could be taken for
/// another's.
class helper_table {
public:
    template <class Helper>
    Helper& get(const void* id)
    {
        if (void* found = find(id, typeid(Helper)))
            return *static_cast<Helper*>(found);
        auto made = std::make_shared<Helper>();
        Helper& helper = *made;
        entries_.push_back({id, &typeid(Helper), std::move(made)});
        return helper;
    }
    void clear() noexcept { entries_.clear(); }

private:
    struct entry {
        const void* id;
        const std::type_info* type;
        std::shared_ptr<void> helper;
    };
    void* find(const void* id, const std::type_info& type) const noexcept
    {
        for (const entry& e : entries_)
            if (e.id == id && *e.type == type)
                return e.helper.get();
        return nullptr;
    }
    std::vector<entry> entries_;
};

/// One object of each type, which is the program's.
class context_table {
public:
    void set(const std::type_info& type, void* object)
    {
        for (entry& e : entries_)
            if (*e.type == type) {
                e.object = object;
                return;
            }
        entries_.push_back({&type, object});
    }
    void* find(const std::type_info& type) const noexcept
    {
        for (const entry& e : entries_)
            if (*e.type == type)
                return e.object;
        return nullptr;
    }

private:
    struct entry {
        const std::type_info* type;
        void* object;
    };
    std::vector<entry> entries_;
};

} // namespace wharf::detail
