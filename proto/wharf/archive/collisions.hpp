// Keys that a peer chose so that they all fall into one bucket would make a hash container compare
// each with all others.
#pragma once

#include <wharf/archive/wire.hpp>

#include <cstdint>
#include <vector>

namespace wharf::detail {

/// Different keys that may share a bucket. Of a million keys that nobody chose, the fullest bucket
/// has about ten.
inline constexpr std::uint8_t bucket_keys_max = 64;

/// Counts the keys of each bucket of a container that has room for all of them, so that it never
/// makes new buckets. Small ones are not counted.
template <class Container>
class collision_counter {
public:
    collision_counter(const Container& all, std::size_t keys)
    {
        if constexpr (has_buckets)
            if (keys > bucket_keys_max)
                counts_.resize(all.bucket_count());
    }
    /// A key came in. Equal keys that come one behind the other, as in every message that a store
    /// made, count as one.
    template <class Key>
    void note(const Container& all, const Key& key, std::size_t offset)
    {
        if constexpr (has_buckets) {
            if (counts_.empty())
                return;
            const std::size_t bucket = all.bucket(key);
            if (bucket >= counts_.size() || is_same_as_last(all, key))
                return;
            last_ = &key;
            if (++counts_[bucket] > bucket_keys_max) [[unlikely]]
                fail_at(errc::collision_limit, offset);
        }
    }

private:
    static constexpr bool has_buckets = requires(const Container& all)
    {
        all.bucket(*static_cast<const typename Container::key_type*>(nullptr));
        all.key_eq();
    };
    template <class Key>
    bool is_same_as_last(const Container& all, const Key& key) const
    {
        return last_ != nullptr && all.key_eq()(*static_cast<const Key*>(last_), key);
    }

    std::vector<std::uint8_t> counts_;
    const void* last_ = nullptr; ///< in its node, which does not move
};

} // namespace wharf::detail
