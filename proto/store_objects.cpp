// The tables of a message that is being written, where they grow or are undone.
#include <wharf/archive/store_objects.hpp>

#include <algorithm>

namespace wharf::detail {
namespace {
/// What a table may keep for the next message; clearing it costs its size.
constexpr std::size_t cells_kept_max = 4096;
} // namespace

void store_objects::grow()
{
    std::vector<cell> grown(cells_.empty() ? 64 : cells_.size() * 4);
    const std::size_t mask = grown.size() - 1;
    used_ = 0;
    for (const cell& moved : cells_)
        if (moved.type != nullptr) {
            std::size_t at = hash(moved.address) & mask;
            while (grown[at].address != nullptr)
                at = (at + 1) & mask;
            grown[at] = moved;
            ++used_;
        }
    cells_.swap(grown);
}

bool store_objects::has_pointee(const void* address, const std::type_info& type) const noexcept
{
    return std::any_of(cells_.begin(), cells_.end(), [&](const cell& c) {
        return c.address == address && c.type != nullptr && *c.type->type == type &&
               objects_[c.number].kind != ownership::value;
    });
}

std::pair<std::uint32_t, bool> store_objects::name_class(const class_entry& entry)
{
    const unsigned number = number_of(entry);
    if (number >= named_.size())
        named_.resize(number + 1);
    if (named_[number] != 0)
        return {named_[number] - 1, false};
    classes_.push_back(&entry);
    named_[number] = static_cast<std::uint32_t>(classes_.size());
    return {named_[number] - 1, true};
}

const class_entry* store_objects::find_named(const std::type_info& type) const noexcept
{
    const auto found = std::find_if(classes_.begin(), classes_.end(),
                                    [&](const class_entry* entry) { return *entry->type == type; });
    return found == classes_.end() ? nullptr : *found;
}

void store_objects::rewind(const mark& to) noexcept
{
    if (objects_.size() != to.objects) {
        // The place stays taken, so that what was put behind it is still found.
        for (cell& each : cells_)
            if (each.address != nullptr && each.number >= to.objects)
                each = {this, nullptr, 0};
        objects_.resize(to.objects, object{});
    }
    for (; classes_.size() > to.classes; classes_.pop_back())
        named_[number_of(*classes_.back())] = 0;
}

void store_objects::clear() noexcept
{
    if (cells_.size() > cells_kept_max)
        cells_ = {};
    else if (used_ != 0)
        std::fill(cells_.begin(), cells_.end(), cell{});
    used_ = 0;
    if (objects_.capacity() > cells_kept_max)
        objects_ = {};
    objects_.clear();
    for (const class_entry* entry : classes_)
        named_[number_of(*entry)] = 0;
    classes_.clear();
    kept_.clear();
    value_begin_ = 0;
}

} // namespace wharf::detail
