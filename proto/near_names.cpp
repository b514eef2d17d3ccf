// Distances between names: optimal string alignment over short ones.
#include <wharf/detail/near_names.hpp>

#include "json_path.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace wharf::detail {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t names_tried_max = 4096;

bool is_same_letter(char a, char b)
{
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
}

std::size_t distance_between(std::string_view a, std::string_view b)
{
    using row = std::array<std::size_t, name_bytes_max + 1>;
    row before_last{}, last{}, now{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = is_same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && is_same_letter(a[i - 1], b[j - 2]) &&
                is_same_letter(a[i - 2], b[j - 1]))
                now[j] = std::min(now[j], before_last[j - 2] + 1);
        }
        before_last = last;
        last = now;
    }
    return last[b.size()];
}

} // namespace

std::string_view find_near_name(std::string_view wanted, std::span<const std::string> names)
{
    std::string_view nearest;
    std::size_t least = std::min<std::size_t>(3, wanted.size());
    if (wanted.size() > name_bytes_max)
        return nearest;
    for (const std::string& name : names.first(std::min(names.size(), names_tried_max))) {
        if (name.size() > name_bytes_max || name.size() + 2 < wanted.size() ||
            wanted.size() + 2 < name.size())
            continue;
        const std::size_t distance = distance_between(wanted, name);
        if (distance < least) {
            least = distance;
            nearest = name;
        }
    }
    return nearest;
}

std::string suggest_name(std::string_view wanted, std::span<const std::string> names)
{
    const std::string_view near = find_near_name(wanted, names);
    // Places (#1) are not misspelt: another one is another thing.
    if (near.empty() || near.starts_with('#'))
        return {};
    return "; did you mean \"" + to_printable(near, name_bytes_max) + "\"?";
}

} // namespace wharf::detail
