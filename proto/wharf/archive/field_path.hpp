// In which field a load or store failed: guards that cost nothing until an exception passes them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wharf::detail {

/// Puts a part in front of this thread's path; `at` is the archive's place, by which the parts of
/// one failure are told from those of an earlier one that a serialize() caught. Any thread.
[[gnu::cold, gnu::noinline]] void note_name(const char* name, const std::byte* at) noexcept;
[[gnu::cold, gnu::noinline]] void note_member(std::uint32_t place, const std::byte* at) noexcept;
[[gnu::cold, gnu::noinline]] void note_index(std::size_t index, const std::byte* at) noexcept;
[[gnu::cold, gnu::noinline]] void note_key(std::string_view key, const std::byte* at) noexcept;
[[gnu::cold, gnu::noinline]] void note_number(std::uint64_t magnitude, bool is_negative,
                                              const std::byte* at) noexcept;

// Each guard is dismissed where its field is done. Its destructor then folds away; during unwinding
// it calls one of the functions above. `at` is the archive's own pointer, read at that time.

struct name_guard {
    const std::byte* const& at;
    const char* name;
    bool is_done = false;
    [[gnu::always_inline]] inline ~name_guard()
    {
        if (!is_done)
            note_name(name, at);
    }
};

struct member_guard {
    const std::byte* const& at;
    std::uint32_t place;
    bool is_done = false;
    [[gnu::always_inline]] inline ~member_guard()
    {
        if (!is_done)
            note_member(place, at);
    }
};

/// Of the loop whose counter `index` is.
struct index_guard {
    const std::byte* const& at;
    const std::size_t& index;
    bool is_done = false;
    [[gnu::always_inline]] inline ~index_guard()
    {
        if (!is_done)
            note_index(index, at);
    }
};

/// Of a run of elements from `first`, where `element` is the loop's pointer.
template <class T>
struct run_guard {
    const std::byte* const& at;
    const T* first;
    const T* const& element;
    bool is_done = false;
    [[gnu::always_inline]] inline ~run_guard()
    {
        if (!is_done)
            note_index(static_cast<std::size_t>(element - first), at);
    }
};

/// A key that reads better than an index.
template <class Key>
concept is_spoken_key = std::convertible_to<const Key&, std::string_view> ||
    (std::integral<Key> && sizeof(Key) <= 8 && !std::same_as<Key, bool>);

/// Of a map: `key` is null while the key itself is loaded.
template <class Key>
struct key_guard {
    const std::byte* const& at;
    const std::size_t& index;
    const Key* key = nullptr;
    bool is_done = false;
    [[gnu::always_inline]] inline ~key_guard()
    {
        if (!is_done)
            note();
    }
    [[gnu::cold]] void note() const noexcept
    {
        if constexpr (std::convertible_to<const Key&, std::string_view>) {
            if (key != nullptr)
                return note_key(*key, at);
        }
        else if constexpr (is_spoken_key<Key>) {
            if (key != nullptr)
                return note_number(*key < 0 ? 0 - static_cast<std::uint64_t>(*key)
                                            : static_cast<std::uint64_t>(*key),
                                   *key < 0, at);
        }
        note_index(index, at);
    }
};

} // namespace wharf::detail
