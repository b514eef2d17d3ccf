// Walks two keys at once until they differ.
#include "schema_order.hpp"

#include "json_numbers.hpp"

#include <wharf/archive/wire.hpp>

#include <algorithm>

namespace wharf::detail {
namespace {

using order = std::partial_ordering;

/// Two keys that were read before, so that nothing runs past its end.
class key_pair {
public:
    key_pair(const schema_view& types, std::span<const std::byte> a, std::span<const std::byte> b)
        : types_(types), a_(a), b_(b)
    {}
    order compare(std::uint32_t type);

private:
    using bytes = std::span<const std::byte>;
    static bytes take(bytes& from, std::size_t n)
    {
        n = std::min(n, from.size());
        const bytes taken = from.first(n);
        from = from.subspan(n);
        return taken;
    }
    static std::uint64_t take_varint(bytes& from)
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
            const auto byte = static_cast<std::uint64_t>(take(from, 1)[0]);
            value |= (byte & 127) << shift;
            if (byte < 128)
                break;
        }
        return value;
    }
    order compare_integers(std::size_t size, bool is_signed);
    order compare_reals(std::size_t size);
    order compare_text(std::size_t size, bool is_signed);
    order compare_bits();
    /// Lexicographic: `na` elements against `nb`.
    order compare_elements(const schema_type& of, std::uint64_t na, std::uint64_t nb);

    const schema_view& types_;
    bytes a_;
    bytes b_;
};

order key_pair::compare_integers(std::size_t size, bool is_signed)
{
    const wide_integer a = to_integer(take(a_, size), is_signed);
    const wide_integer b = to_integer(take(b_, size), is_signed);
    return is_less(a, b) ? order::less : is_less(b, a) ? order::greater : order::equivalent;
}

long double real_of(std::span<const std::byte> image)
{
    const wide_unsigned bits = to_integer(image, false).magnitude;
    if (image.size() == 4)
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (image.size() == 8)
        return std::bit_cast<double>(static_cast<std::uint64_t>(bits));
    std::array<std::byte, 16> copy{};
    std::ranges::copy(image, copy.begin());
    long double value = 0;
    from_binary128(copy, value);
    return value;
}

order key_pair::compare_reals(std::size_t size)
{
    const long double a = real_of(take(a_, size));
    return a <=> real_of(take(b_, size));
}

order key_pair::compare_text(std::size_t size, bool is_signed)
{
    const std::uint64_t na = take_varint(a_);
    const std::uint64_t nb = take_varint(b_);
    for (std::uint64_t i = 0; i < std::min(na, nb); ++i)
        if (const order found = compare_integers(size, is_signed); found != order::equivalent)
            return found;
    if (na == nb)
        return order::equivalent;
    return na < nb ? order::less : order::greater;
}

order key_pair::compare_bits()
{
    const std::uint64_t na = take_varint(a_);
    const std::uint64_t nb = take_varint(b_);
    const bytes a = take(a_, na / 8 + (na % 8 != 0 ? 1 : 0));
    const bytes b = take(b_, nb / 8 + (nb % 8 != 0 ? 1 : 0));
    for (std::uint64_t i = 0; i < std::min(na, nb); ++i) {
        const auto bit_a = static_cast<unsigned>(a[i / 8]) >> i % 8 & 1;
        const auto bit_b = static_cast<unsigned>(b[i / 8]) >> i % 8 & 1;
        if (bit_a != bit_b)
            return bit_a < bit_b ? order::less : order::greater;
    }
    return na <=> nb;
}

order key_pair::compare_elements(const schema_type& of, std::uint64_t na, std::uint64_t nb)
{
    for (std::uint64_t i = 0; i < std::min(na, nb); ++i) {
        const std::size_t left = a_.size();
        for (const std::uint32_t part : of.parts)
            if (const order found = compare(part); found != order::equivalent)
                return found;
        if (a_.size() == left) { // The pad of elements that take no bytes.
            take(a_, 1);
            take(b_, 1);
        }
    }
    return na <=> nb;
}

order key_pair::compare(std::uint32_t place)
{
    const schema_type& type = types_[place];
    switch (type.kind) {
    case schema_kind::boolean: return compare_integers(1, false);
    case schema_kind::integer:
    case schema_kind::enumeration: return compare_integers(type.size, type.is_signed);
    case schema_kind::real: return compare_reals(type.size);
    case schema_kind::string: return compare_text(type.size, type.size != 1 && type.is_signed);
    case schema_kind::bytes: return compare_text(1, false);
    case schema_kind::fixed_bytes: {
        const bytes a = take(a_, type.count);
        const bytes b = take(b_, type.count);
        return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
    }
    case schema_kind::bits: return compare_bits();
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::map:
    case schema_kind::array: {
        const std::uint64_t na = take_varint(a_);
        return compare_elements(type, na, take_varint(b_));
    }
    case schema_kind::tuple:
        for (const std::uint32_t part : type.parts)
            if (const order found = compare(part); found != order::equivalent)
                return found;
        return order::equivalent;
    case schema_kind::optional: {
        const order found = compare_integers(1, false);
        if (found != order::equivalent || b_.empty())
            return found;
        return b_.data()[-1] == std::byte{0} ? found : compare(type.parts[0]);
    }
    case schema_kind::variant: {
        const std::uint64_t a = take_varint(a_);
        const std::uint64_t b = take_varint(b_);
        return a != b ? order(a <=> b) : compare(type.parts[a]);
    }
    default: return order::equivalent;
    }
}

} // namespace

order compare_keys(const schema_view& types, std::uint32_t type, std::span<const std::byte> a,
                   std::span<const std::byte> b)
{
    return key_pair(types, a, b).compare(type);
}

bool is_sorted_by_value(const schema_view& types, const schema_type& container) noexcept
{
    return !container.is_unordered && container.order < 2 && types.is_ordered(container.parts[0]);
}

order compare_in_order(const schema_view& types, const schema_type& container,
                       std::span<const std::byte> before, std::span<const std::byte> now)
{
    const bool is_descending = container.order == 1;
    return is_descending ? compare_keys(types, container.parts[0], now, before)
                         : compare_keys(types, container.parts[0], before, now);
}

} // namespace wharf::detail
