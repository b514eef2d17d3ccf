// A schema whose places were checked, and what is asked of it for every value.
#pragma once

#include <wharf/limits.hpp>
#include <wharf/schema_type.hpp>

#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

namespace wharf::detail {

class schema_view {
public:
    /// `all` may come from a peer, and must outlive the view. Throws errc::bad_value where a kind
    /// does not have the parts or the size that it needs.
    explicit schema_view(const std::vector<schema_type>& all);
    std::size_t size() const noexcept { return all_.size(); }

    const schema_type& operator[](std::uint32_t type) const noexcept { return all_[type]; }
    /// The bytes that an element takes at the least, where its type tells; else 0.
    std::size_t bytes_min(std::uint32_t type) const noexcept { return facts_[type].bytes_min; }
    /// Is the order of two keys told by their bytes?
    bool is_ordered(std::uint32_t type) const noexcept { return facts_[type].is_ordered; }
    /// May a value refer to another, or bring a class, so that its bytes depend on its place?
    bool has_objects(std::uint32_t type) const noexcept { return facts_[type].has_objects; }
    /// Is null one of the values, so that an optional of it needs another form?
    bool may_be_null(std::uint32_t type) const noexcept;
    /// The type without its construct data.
    std::uint32_t body_of(std::uint32_t type) const noexcept;
    bool is_record(std::uint32_t type) const noexcept;
    /// Are they one type? Those that are no classes may have several places.
    bool is_same(std::uint32_t a, std::uint32_t b) const;
    /// Is the class this base or derived from it?
    bool is_derived(std::uint32_t type, std::uint32_t base) const;

    /// The keys of a type's fields in JSON, in order; of a variant, those of its alternatives.
    const std::vector<std::string>& keys(std::uint32_t type) const;
    static constexpr std::uint32_t none = UINT32_MAX;
    /// The place of the field, or `none`.
    std::uint32_t find_key(std::uint32_t type, std::string_view key) const;

private:
    struct facts {
        std::size_t bytes_min = 0;
        bool is_ordered = false;
        bool has_objects = false;
    };
    struct key_list {
        std::vector<std::string> names;
        std::map<std::string_view, std::uint32_t> places;
    };
    const key_list& key_list_of(std::uint32_t type) const;
    void check(const schema_type& type) const;
    bool is_same(std::uint32_t a, std::uint32_t b, std::uint32_t levels) const;
    bool improve(std::uint32_t type);

    const std::vector<schema_type>& all_;
    std::vector<facts> facts_;
    mutable std::map<std::uint32_t, key_list> keys_;
    using relation = std::map<std::pair<std::uint32_t, std::uint32_t>, bool>;
    mutable relation derived_;
    mutable relation same_;
};

/// How deep values of all kinds may nest, where classes may nest as deep as the limit says: what
/// recurses without classes has an end too.
std::uint32_t nesting_max(const limits& limit) noexcept;

} // namespace wharf::detail
