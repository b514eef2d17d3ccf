// The tables of a message that is being read: references, classes, the end.
#include <wharf/archive/guards.hpp>
#include <wharf/archive/load_objects.hpp>

namespace wharf::detail {

std::uint32_t load_objects::refer(std::uint64_t number, ownership kind, bool is_weak,
                                  std::uint32_t chain_max, std::size_t offset)
{
    if (number >= objects_.size())
        fail_at(errc::bad_reference, offset);
    const auto found = static_cast<std::uint32_t>(number);
    const object& target = objects_[found];
    if (checks<guard::ownership> && target.kind != kind)
        fail_at(errc::bad_ownership, offset);
    if (kind == ownership::unique)
        fail_at(errc::bad_ownership, offset, "the object has its one owner");
    if (!static_cast<const class_entry&>(*target.type).is_tracked)
        fail_at(errc::bad_reference, offset, "an object of a class of track_never");
    if (kind == ownership::aliased && found < value_begin_)
        fail_at(errc::bad_ownership, offset, "the object is part of an earlier value");
    if (target.address == nullptr)
        fail_at(errc::ownership_cycle, offset, "the object is not constructed yet");
    if (kind != ownership::aliased && !is_weak) {
        if (checks<guard::cycle> && !target.is_complete)
            fail_at(errc::ownership_cycle, offset);
        own(target.height, chain_max, offset);
    }
    return found;
}

void load_objects::check_same_value(std::uint64_t tag, const void* address,
                                    const class_identity& type, std::size_t offset) const
{
    if (tag == 0 || tag - 2 >= objects_.size())
        fail_at(errc::bad_reference, offset);
    const object& target = objects_[static_cast<std::size_t>(tag - 2)];
    if (target.kind != ownership::value || target.address != address || target.type != &type)
        fail_at(errc::bad_reference, offset, "a value is referred to only where it is again");
}

bool load_objects::name_class(const class_entry& entry)
{
    const unsigned number = number_of(entry);
    if (number >= is_named_.size())
        is_named_.resize(number + 1);
    if (is_named_[number])
        return false;
    classes_.push_back(&entry);
    is_named_[number] = true;
    return true;
}

void load_objects::clear() noexcept
{
    for (const held& each : held_)
        each.entry->destroy(each.address);
    held_ = {};
    // The last objects own earlier ones: from the end, each chain ends link by link.
    while (!objects_.empty())
        objects_.pop_back();
    objects_ = {};
    classes_.clear();
    is_named_.clear();
    current_ = none;
    value_begin_ = 0;
}

} // namespace wharf::detail
