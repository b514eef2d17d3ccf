// Two types side by side, from the whole to the parts.
#pragma once

#include <wharf/schema_diff.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wharf::detail {

/// What becomes of a message. Worse ones are greater.
enum class schema_effect : std::uint8_t {
    same,
    lost,    ///< loads, without something that was in it
    unknown, ///< cannot be told
    refused, ///< it, or some of its values
    misread, ///< loads as something else, or is refused if there is luck
};

/// A change of one type, before it is known who is harmed.
struct schema_finding {
    schema_change_kind kind = schema_change_kind::type_changed;
    schema_effect forward = schema_effect::same;  ///< written before, read by the later one
    schema_effect backward = schema_effect::same; ///< written by the later one
    std::string what;                             ///< "optional, was required"
    bool is_json = false;                         ///< callers in JSON notice
};

/// The change that a finding is, where messages of this use travel.
schema_change judge(const schema_finding& finding, schema_use use);

/// A container, by which elements it holds and in which order.
struct container_rules {
    bool is_sorted = false, is_unique = false, is_unordered = false;
    std::uint8_t order = 0;
};

/// What one kind of value becomes when it is read as another, apart from their parts. Reports
/// nothing where they are the same.
class kind_comparison {
public:
    kind_comparison(const schema_type& before, const schema_type& after)
        : before_(before), after_(after)
    {}
    /// Appends what differs; false: the parts have nothing to do with one another.
    bool run(std::vector<schema_finding>& to) const;

private:
    bool compare_numbers(std::vector<schema_finding>& to) const;
    bool compare_enums(std::vector<schema_finding>& to) const;
    bool compare_texts(std::vector<schema_finding>& to) const;
    bool compare_containers(std::vector<schema_finding>& to) const;
    bool compare_counts(std::vector<schema_finding>& to) const;
    bool compare_pointers(std::vector<schema_finding>& to) const;

    const schema_type& before_;
    const schema_type& after_;
};

/// "string", "list", "64-bit unsigned integer".
std::string describe_kind(const schema_type& type);

class type_comparison {
public:
    type_comparison(const schema_history& before, const schema_history& after, schema_use use)
        : before_(before), after_(after), use_(use)
    {}
    std::vector<schema_change> run(std::string_view command, std::string_view role);

private:
    using place = std::uint32_t;
    struct pair {
        place before, after;
        std::size_t from; ///< in pairs_: whose part it is
        std::string step;
    };

    const schema_type& old_at(place at) const { return before_.types.types()[at]; }
    const schema_type& new_at(place at) const { return after_.types.types()[at]; }
    void reach(place before, place after, std::string step);
    std::string path() const;
    void report(schema_finding finding, const std::string& member = {});
    void spend(std::size_t n = 1);

    void compare();
    void compare_parts(const schema_type& before, const schema_type& after);
    void compare_alternatives(const schema_type& before, const schema_type& after);
    void compare_derived(const schema_type& before, const schema_type& after);
    void compare_classes(place before, place after);
    void compare_versions(place before, place after);
    void compare_older(place before, place after, std::uint32_t version);
    bool compare_layouts(const schema_type& before, const schema_type& after,
                         std::uint32_t version);
    void compare_members(const schema_type& before, const schema_type& after);
    void compare_numbers_of_members(const schema_type& before, const schema_type& after);
    void compare_newest(const schema_type& before, const schema_type& after);
    bool are_alike(place before, place after, bool with_key = true);
    bool has_alike_members(const schema_type& before, const schema_type& after,
                           std::vector<std::pair<place, place>>& open);

    const schema_history& before_;
    const schema_history& after_;
    const schema_use use_;
    std::string role_;
    std::vector<pair> pairs_;
    std::set<std::pair<place, place>> met_;
    std::size_t at_ = 0; ///< in pairs_
    std::size_t steps_ = 0;
    std::vector<schema_change> changes_;
};

/// Is a class stored with a table of versions in some message of this type?
bool has_versions(const schema& of) noexcept;

} // namespace wharf::detail
