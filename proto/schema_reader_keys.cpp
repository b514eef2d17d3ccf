// Sets and maps of a message: what their keys must be.
#include "schema_order.hpp"
#include "schema_reader.hpp"
#include "schema_values.hpp"

#include <wharf/archive_error.hpp>

#include <algorithm>
#include <utility>

namespace wharf::detail {

void schema_reader::read_keyed(const schema_type& type)
{
    const bool is_map = type.kind == schema_kind::map;
    const bool is_object = is_object_map(types_, type);
    const std::size_t least =
        types_.bytes_min(type.parts[0]) + (is_map ? types_.bytes_min(type.parts[1]) : 0);
    const std::size_t n = take_count(least);
    const auto outer = std::exchange(keys_, {});
    if (out_ != nullptr)
        out_->begin(is_object ? '{' : '[');
    for (std::size_t i = 0; i < n; ++i) {
        if (is_map)
            read_entry(type, i, is_object);
        else {
            const path_step in(path_, i);
            const std::size_t begun = at_;
            read_element(type.parts[0]);
            check_key(type, message_.subspan(begun, at_ - begun));
        }
    }
    check_once();
    if (out_ != nullptr)
        out_->end(is_object ? '}' : ']');
    keys_ = outer;
}

void schema_reader::read_entry(const schema_type& type, std::uint64_t i, bool is_object)
{
    const std::size_t begun = at_;
    const schema_type& key = types_[type.parts[0]];
    const path_step in(path_, i);
    std::string text;
    if (out_ != nullptr && !is_object)
        out_->begin('[');
    if (is_object)
        text = read_text(key);
    else
        read_value(type.parts[0]);
    check_key(type, message_.subspan(begun, at_ - begun));
    if (out_ != nullptr && is_object)
        out_->key(text);
    if (key.kind == schema_kind::string && key.size == 1) {
        auto bytes = message_.subspan(begun, at_ - begun);
        while ((static_cast<unsigned>(bytes[0]) & 0x80) != 0)
            bytes = bytes.subspan(1);
        path_.pop();
        path_.push_key({reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1});
    }
    read_value(type.parts[1]);
    if (out_ != nullptr && !is_object)
        out_->end(']');
    read_pad(begun);
}

/// Keeps the key where others are compared with it: the last one where the order is known, and
/// else all of them.
void schema_reader::check_key(const schema_type& type, std::span<const std::byte> key)
{
    // References make the bytes of one object differ; and two objects may have the same.
    if (types_.has_objects(type.parts[0]))
        return;
    if (!is_sorted_by_value(types_, type)) {
        if (!type.is_multi) {
            charge(2 * sizeof key);
            keys_.push_back(key);
        }
        return;
    }
    if (!keys_.empty()) {
        const bool is_refused = type.is_multi
                                    ? compare_in_order(types_, type, key, keys_.back()) < 0
                                    : !(compare_in_order(types_, type, keys_.back(), key) < 0);
        if (is_refused)
            fail(errc::not_canonical, std::ranges::equal(keys_.back(), key)
                                          ? "a key is there twice"
                                          : "keys are not in order");
        keys_.pop_back();
    }
    keys_.push_back(key);
}

/// Of keys in an order that is not known, none may be there twice.
void schema_reader::check_once()
{
    if (keys_.size() < 2)
        return;
    const auto is_less = [](std::span<const std::byte> a, std::span<const std::byte> b) {
        return std::ranges::lexicographical_compare(a, b);
    };
    std::ranges::sort(keys_, is_less);
    const auto is_same = [](std::span<const std::byte> a, std::span<const std::byte> b) {
        return std::ranges::equal(a, b);
    };
    if (std::ranges::adjacent_find(keys_, is_same) != keys_.end())
        fail(errc::not_canonical, "a key is there twice");
}

} // namespace wharf::detail
