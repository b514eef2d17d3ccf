// The objects and classes of a message that is read by its schema: what references may name.
#pragma once

#include "schema_view.hpp"

#include <wharf/archive/ownership.hpp>
#include <wharf/error.hpp>

#include <utility>

namespace wharf::detail {

/// As load_objects, for classes that are places in a schema. Functions that can refuse return
/// errc{} where they do not.
class schema_objects {
public:
    struct object {
        std::uint32_t type = 0;
        ownership kind = ownership::shared;
        bool is_untracked = false;
        bool is_constructed = false;
        bool is_complete = false;
        std::uint32_t height = 1; ///< of the chain of owned objects below it, itself included
        std::uint64_t scope = 0;  ///< of a tracked value, what it is a part of
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    explicit schema_objects(std::uint32_t chain_max) : chain_max_(chain_max) {}

    std::size_t size() const noexcept { return objects_.size(); }
    object& operator[](std::size_t number) { return objects_[number]; }
    std::uint32_t add(const object& next)
    {
        objects_.push_back(next);
        return static_cast<std::uint32_t>(objects_.size() - 1);
    }
    /// A pointer of this kind refers to the object.
    errc refer(std::uint64_t number, ownership kind, bool is_weak)
    {
        if (number >= objects_.size())
            return errc::bad_reference;
        const object& target = objects_[number];
        if (target.kind != kind || kind == ownership::unique)
            return errc::bad_ownership;
        if (target.is_untracked)
            return errc::bad_reference;
        if (!target.is_constructed)
            return errc::ownership_cycle;
        if (kind == ownership::aliased || is_weak)
            return {};
        return target.is_complete ? own(target.height) : errc::ownership_cycle;
    }
    /// The object is being read: what it owns adds to its height. Returns the one before.
    std::uint32_t enter(std::uint32_t number) noexcept { return std::exchange(current_, number); }
    errc leave(std::uint32_t number, std::uint32_t before, bool is_weak)
    {
        current_ = before;
        objects_[number].is_complete = true;
        return is_weak ? errc{} : own(objects_[number].height);
    }

    /// The class of this number; `none` where the message named no such.
    std::uint32_t class_at(std::uint64_t number) const noexcept
    {
        return number < classes_.size() ? classes_[number] : none;
    }
    /// Gives the class the next number; false where it has one.
    bool name_class(std::uint32_t type)
    {
        return numbers_.emplace(type, static_cast<std::uint32_t>(classes_.size())).second &&
               (classes_.push_back(type), true);
    }
    /// The number of the class, or `none`.
    std::uint32_t number_of_class(std::uint32_t type) const
    {
        const auto found = numbers_.find(type);
        return found == numbers_.end() ? none : found->second;
    }

private:
    errc own(std::uint32_t height)
    {
        if (current_ == none)
            return {};
        if (height >= chain_max_)
            return errc::chain_limit;
        if (objects_[current_].height <= height)
            objects_[current_].height = height + 1;
        return {};
    }

    std::vector<object> objects_;
    std::vector<std::uint32_t> classes_;
    std::map<std::uint32_t, std::uint32_t> numbers_;
    std::uint32_t current_ = none;
    std::uint32_t chain_max_;
};

} // namespace wharf::detail
