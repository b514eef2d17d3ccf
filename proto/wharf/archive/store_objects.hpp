// The objects of a message that is being written: which are stored already, under which number.
#pragma once

#include <wharf/archive/class_entry.hpp>
#include <wharf/archive/ownership.hpp>

#include <vector>

namespace wharf::detail {

class store_objects {
public:
    struct object {
        ownership kind;
        bool is_complete = false;
    };
    /// Where a store that fails goes back to.
    struct mark {
        std::size_t objects;
        std::size_t classes;
    };

    /// The number of the object if it is known, else takes the next number; the second says which.
    std::pair<std::uint32_t, bool> insert(const void* address, const class_identity& type,
                                          ownership kind)
    {
        if ((used_ + 1) * 2 > cells_.size()) [[unlikely]]
            grow();
        const std::size_t mask = cells_.size() - 1;
        std::size_t at = hash(address) & mask;
        for (; cells_[at].address != nullptr; at = (at + 1) & mask)
            if (cells_[at].address == address && cells_[at].type == &type &&
                (objects_[cells_[at].number].kind == ownership::value) ==
                    (kind == ownership::value))
                return {cells_[at].number, false};
        const std::uint32_t number = add(kind);
        cells_[at] = {address, &type, number};
        ++used_;
        return {number, true};
    }
    /// An object that nothing refers to.
    std::uint32_t add(ownership kind)
    {
        objects_.push_back({kind});
        return static_cast<std::uint32_t>(objects_.size() - 1);
    }
    object& operator[](std::uint32_t number) { return objects_[number]; }

    /// Is there a pointee of this type at this address?
    bool has_pointee(const void* address, const std::type_info& type) const noexcept;

    /// The class's place among those that this message names; the second: it was not named before.
    std::pair<std::uint32_t, bool> name_class(const class_entry& entry);
    /// A class named in this message.
    const class_entry* find_named(const std::type_info& type) const noexcept;

    /// All of them, in order.
    const std::vector<const class_entry*>& named_classes() const noexcept { return classes_; }

    /// Objects of earlier values are no longer met by raw pointers.
    void begin_value() noexcept { value_begin_ = static_cast<std::uint32_t>(objects_.size()); }
    bool is_of_this_value(std::uint32_t number) const noexcept { return number >= value_begin_; }

    /// Keeps an object alive until the message is complete, so that its address is not reused.
    void keep(std::shared_ptr<const void> owner) { kept_.push_back(std::move(owner)); }

    mark get_mark() const noexcept { return {objects_.size(), classes_.size()}; }
    void rewind(const mark& to) noexcept;
    void clear() noexcept;

private:
    struct cell {
        const void* address = nullptr;
        const class_identity* type = nullptr; ///< null: free, or undone
        std::uint32_t number = 0;
    };
    /// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4); objects are aligned.
    static std::size_t hash(const void* address) noexcept
    {
        return static_cast<std::size_t>(
            reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15u >> 20);
    }
    [[gnu::cold, gnu::noinline]] void grow();

    std::vector<cell> cells_; ///< open addressing; a power of two
    std::size_t used_ = 0;
    std::vector<object> objects_;
    std::vector<const class_entry*> classes_;
    std::vector<std::uint32_t> named_; ///< by class number: its place, from 1
    std::vector<std::shared_ptr<const void>> kept_;
    std::uint32_t value_begin_ = 0;
};

} // namespace wharf::detail
