// The objects of a message that is being read: what references may name, and who owns it.
#pragma once

#include <wharf/archive/class_entry.hpp>
#include <wharf/archive/ownership.hpp>

#include <utility>
#include <vector>

namespace wharf::detail {

class load_objects {
public:
    struct object {
        void* address = nullptr; ///< of the most derived object; null until it is constructed
        const class_identity* type = nullptr;
        std::shared_ptr<void> owner{}; ///< where it is shared
        std::uint32_t height = 1;      ///< of the chain of owned objects below it, itself included
        ownership kind = ownership::shared;
        bool is_complete = false;
    };
    static constexpr std::uint32_t none = UINT32_MAX;
    /// What the budget is charged for one, beside the object itself: this record, in a vector that
    /// doubles, and a control block.
    static constexpr std::size_t bytes_each = 128;

    /// Takes the next number.
    std::uint32_t add(const class_identity& type, ownership kind, std::uint32_t objects_max,
                      std::size_t offset)
    {
        if (objects_.size() >= objects_max) [[unlikely]]
            fail_at(errc::object_limit, offset);
        objects_.push_back({.type = &type, .kind = kind});
        return static_cast<std::uint32_t>(objects_.size() - 1);
    }
    object& operator[](std::uint32_t number) { return objects_[number]; }

    /// The number of a reference, whose object a pointer of this kind may share; else throws.
    std::uint32_t refer(std::uint64_t number, ownership kind, bool is_weak, std::uint32_t chain_max,
                        std::size_t offset);
    /// Throws unless the tag refers to the track_always value that is at this very address.
    void check_same_value(std::uint64_t tag, const void* address, const class_identity& type,
                          std::size_t offset) const;

    /// The object is being loaded: what it owns adds to its height. Returns the one before.
    std::uint32_t enter(std::uint32_t number) noexcept { return std::exchange(current_, number); }
    /// It is complete; its owner is the one before, unless the pointer between them is weak.
    void leave(std::uint32_t number, std::uint32_t before, bool is_weak, std::uint32_t chain_max,
               std::size_t offset)
    {
        current_ = before;
        object& done = objects_[number];
        done.is_complete = true;
        if (!is_weak)
            own(done.height, chain_max, offset);
    }

    /// The class of this place among those that the message named; null: there is none.
    const class_entry* named(std::uint64_t place) const noexcept
    {
        return place < classes_.size() ? classes_[static_cast<std::size_t>(place)] : nullptr;
    }
    /// False where it was named before.
    bool name_class(const class_entry& entry);

    /// Objects of raw pointers that may alias are the archive's until their value is complete.
    void hold(void* address, const class_entry& entry) { held_.push_back({address, &entry}); }
    /// The value is complete: what was held is the program's, and references do not reach it.
    void end_value() noexcept
    {
        held_.clear();
        value_begin_ = static_cast<std::uint32_t>(objects_.size());
    }
    /// Ends every object that nobody else owns.
    void clear() noexcept;

private:
    /// The object being loaded owns one of this height.
    void own(std::uint32_t height, std::uint32_t chain_max, std::size_t offset)
    {
        if (current_ == none)
            return;
        if (height >= chain_max) [[unlikely]]
            fail_at(errc::chain_limit, offset);
        if (objects_[current_].height <= height)
            objects_[current_].height = height + 1;
    }

    struct held {
        void* address;
        const class_entry* entry;
    };
    std::vector<object> objects_;
    std::vector<const class_entry*> classes_;
    std::vector<bool> is_named_; ///< by class number
    std::vector<held> held_;
    std::uint32_t current_ = none;
    std::uint32_t value_begin_ = 0;
};

} // namespace wharf::detail
