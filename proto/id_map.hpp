// A table from call ids to values, made for ids that ascend: no allocation in the steady state.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace wharf::detail {

/// Open addressing, at most half full. The hash spreads ids in a row evenly: were they neighbours,
/// each removal would walk over all of them. Id 0 is no key. A peer that chooses ids which collide
/// makes each access linear in the entries, whose number its limit bounds. Pointers to values are
/// valid until the next insert() or erase().
template <class Value>
class id_map {
public:
    std::size_t size() const noexcept { return size_; }

    bool contains(std::uint64_t id) const noexcept { return index_of(id) != nowhere; }

    /// The value of an id; nullptr where it is not there.
    Value* find(std::uint64_t id) noexcept
    {
        const std::size_t i = index_of(id);
        return i == nowhere ? nullptr : &slots_[i].value;
    }
    const Value* find(std::uint64_t id) const noexcept
    {
        const std::size_t i = index_of(id);
        return i == nowhere ? nullptr : &slots_[i].value;
    }

    /// Calls `f(id, value)` for each entry, in any order; it may change the value only.
    template <class Function>
    void for_each(Function f)
    {
        for (slot& s : slots_)
            if (s.id != 0)
                f(s.id, s.value);
    }

    /// Adds an id that is not in the table.
    Value& insert(std::uint64_t id, Value value)
    {
        if ((size_ + 1) * 2 > slots_.size()) [[unlikely]]
            grow();
        ++size_;
        return place(id, std::move(value));
    }

    /// An empty table gives its memory back.
    void release() noexcept
    {
        if (size_ == 0)
            std::vector<slot>().swap(slots_);
    }

    /// Removes an id; false where it is not there.
    bool erase(std::uint64_t id) noexcept
    {
        const std::size_t at = index_of(id);
        if (at == nowhere)
            return false;
        erase_at(at);
        return true;
    }

    /// Takes a value out; false where it is not there.
    bool take(std::uint64_t id, Value& into) noexcept
    {
        const std::size_t at = index_of(id);
        if (at == nowhere)
            return false;
        into = std::move(slots_[at].value);
        erase_at(at);
        return true;
    }

private:
    struct slot {
        std::uint64_t id = 0;
        Value value{};
    };
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    void erase_at(std::size_t gap) noexcept
    {
        // What follows moves into the gap where it may, so that no search stops early.
        for (std::size_t i = next(gap); slots_[i].id != 0; i = next(i)) {
            const std::size_t wanted = home(slots_[i].id);
            if (((i - wanted) & mask()) >= ((i - gap) & mask())) {
                slots_[gap] = std::move(slots_[i]);
                gap = i;
            }
        }
        slots_[gap] = slot();
        --size_;
    }

    std::size_t mask() const noexcept { return slots_.size() - 1; }
    std::size_t home(std::uint64_t id) const noexcept
    {
        return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15u) >> shift_);
    }
    std::size_t next(std::size_t i) const noexcept { return (i + 1) & mask(); }

    std::size_t index_of(std::uint64_t id) const noexcept
    {
        if (size_ == 0 || id == 0)
            return nowhere;
        for (std::size_t i = home(id); slots_[i].id != 0; i = next(i))
            if (slots_[i].id == id)
                return i;
        return nowhere;
    }

    Value& place(std::uint64_t id, Value value)
    {
        std::size_t i = home(id);
        while (slots_[i].id != 0)
            i = next(i);
        slots_[i].id = id;
        slots_[i].value = std::move(value);
        return slots_[i].value;
    }

    void grow()
    {
        std::vector<slot> old(slots_.empty() ? 16 : slots_.size() * 2);
        old.swap(slots_);
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots_.size()));
        for (slot& s : old)
            if (s.id != 0)
                place(s.id, std::move(s.value));
    }

    std::vector<slot> slots_;
    std::size_t size_ = 0;
    unsigned shift_ = 0; ///< the hash is the product's upper bits
};

} // namespace wharf::detail
