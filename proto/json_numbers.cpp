// Integers of up to 128 bits and IEEE numbers of three sizes, to text and back.
#include "json_numbers.hpp"

#include <wharf/archive/wire.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <locale.h>
#include <optional>

namespace wharf::detail {

wide_integer to_integer(std::span<const std::byte> image, bool is_signed) noexcept
{
    wide_unsigned bits = 0;
    for (std::size_t i = image.size(); i-- != 0;)
        bits = bits << 8 | static_cast<unsigned>(image[i]);
    const bool is_negative =
        is_signed && !image.empty() && (static_cast<unsigned>(image.back()) & 0x80) != 0;
    if (!is_negative)
        return {bits, false};
    const wide_unsigned all = ~wide_unsigned{0} >> (128 - 8 * image.size());
    return {((~bits & all) + 1), true};
}

void append_integer(std::vector<std::byte>& out, wide_integer value, std::size_t size)
{
    wide_unsigned bits = value.is_negative ? ~value.magnitude + 1 : value.magnitude;
    for (std::size_t i = 0; i < size; ++i, bits >>= 8)
        out.push_back(static_cast<std::byte>(bits & 0xff));
}

wide_integer least_integer(std::size_t size, bool is_signed) noexcept
{
    return is_signed ? wide_integer{wide_unsigned{1} << (8 * size - 1), true} : wide_integer{};
}

wide_integer greatest_integer(std::size_t size, bool is_signed) noexcept
{
    return {~wide_unsigned{0} >> (128 - 8 * size + (is_signed ? 1 : 0)), false};
}

bool is_less(wide_integer a, wide_integer b) noexcept
{
    if (a.is_negative != b.is_negative)
        return a.is_negative && (a.magnitude != 0 || b.magnitude != 0);
    return a.is_negative ? b.magnitude < a.magnitude : a.magnitude < b.magnitude;
}

std::string to_text(wide_integer value)
{
    std::string text;
    do {
        text += static_cast<char>('0' + static_cast<unsigned>(value.magnitude % 10));
        value.magnitude /= 10;
    } while (value.magnitude != 0);
    if (value.is_negative)
        text += '-';
    std::ranges::reverse(text);
    return text;
}

bool is_safe_integer(wide_integer value) noexcept
{
    return value.magnitude <= wide_unsigned{1} << 53;
}

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// Takes the digits at the front.
std::string_view take_digits(std::string_view& text)
{
    const auto size =
        static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    const std::string_view digits = text.substr(0, size);
    text.remove_prefix(size);
    return digits;
}

bool take(std::string_view& text, std::string_view characters)
{
    if (text.empty() || characters.find(text.front()) == std::string_view::npos)
        return false;
    text.remove_prefix(1);
    return true;
}

/// Ten times the value, and a digit; false where that has more than 128 bits.
bool add_digit(wide_unsigned& value, unsigned digit)
{
    constexpr wide_unsigned all = ~wide_unsigned{0};
    if (value > (all - digit) / 10)
        return false;
    value = value * 10 + digit;
    return true;
}

} // namespace

number_fault parse_integer(std::string_view text, wide_integer& value) noexcept
{
    value = {};
    value.is_negative = take(text, "-");
    const std::string_view whole = take_digits(text);
    std::string_view fraction;
    bool is_complete = !whole.empty();
    if (take(text, ".")) {
        fraction = take_digits(text);
        is_complete = is_complete && !fraction.empty();
    }
    long exponent = 0;
    if (take(text, "eE")) {
        const bool is_small = take(text, "+-") && text.data()[-1] == '-';
        const std::string_view digits = take_digits(text);
        is_complete = is_complete && !digits.empty();
        for (const char c : digits)
            exponent = std::min(exponent * 10 + (c - '0'), 1000000000L);
        if (is_small)
            exponent = -exponent;
    }
    if (!is_complete || !text.empty())
        return number_fault::no_number;
    // Of the digits of both parts, so many stand before the point.
    const long places = static_cast<long>(whole.size()) + exponent;
    long place = 0;
    for (const std::string_view part : {whole, fraction})
        for (const char c : part) {
            if (place++ >= places) {
                if (c != '0')
                    return number_fault::no_integer;
            }
            else if (!add_digit(value.magnitude, static_cast<unsigned>(c - '0')))
                return number_fault::too_large;
        }
    for (; place < places && value.magnitude != 0; ++place)
        if (!add_digit(value.magnitude, 0))
            return number_fault::too_large;
    value.is_negative = value.is_negative && value.magnitude != 0;
    return number_fault::none;
}

namespace {

/// The words for what is no number, by the bits of the size's exponent.
struct real_form {
    std::size_t size;
    unsigned fraction_bits;
};
constexpr real_form forms[] = {{4, 23}, {8, 52}, {16, 112}};

real_form form_of(std::size_t size)
{
    return *std::ranges::find(forms, size, &real_form::size);
}

wide_unsigned exponent_mask(real_form form)
{
    const wide_unsigned below_sign = ~wide_unsigned{0} >> (129 - 8 * form.size);
    return below_sign >> form.fraction_bits << form.fraction_bits;
}

wide_unsigned quiet_nan(real_form form)
{
    return exponent_mask(form) | wide_unsigned{1} << (form.fraction_bits - 1);
}

std::string to_hexadecimal(wide_unsigned bits, std::size_t size)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text(2 * size, '0');
    for (std::size_t i = text.size(); i-- != 0; bits >>= 4)
        text[i] = digits[static_cast<unsigned>(bits & 15)];
    return text;
}

template <class Number>
std::string to_shortest(Number number)
{
    std::array<char, 64> text{};
    const auto done = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), done.ptr};
}

template <class Number>
bool parse_all(std::string_view text, Number& number)
{
    const char* end = text.data() + text.size();
    const auto done = std::from_chars(text.data(), end, number);
    return done.ec == std::errc() && done.ptr == end && std::isfinite(number);
}

/// std::from_chars takes no denormal long double.
bool parse_long(std::string_view text, long double& number)
{
    static const locale_t plain = newlocale(LC_ALL_MASK, "C", nullptr);
    number = strtold_l(std::string(text).c_str(), nullptr, plain);
    return std::isfinite(number);
}

/// What from_chars takes and JSON does not: "inf", "nan", "1.", ".5", "0x1".
bool has_number_form(std::string_view text)
{
    take(text, "-");
    bool is_complete = !take_digits(text).empty();
    if (take(text, "."))
        is_complete = is_complete && !take_digits(text).empty();
    if (take(text, "eE")) {
        take(text, "+-");
        is_complete = is_complete && !take_digits(text).empty();
    }
    return is_complete && text.empty();
}

std::optional<wide_unsigned> parse_word(std::string_view text, real_form form)
{
    const wide_unsigned sign = wide_unsigned{1} << (8 * form.size - 1);
    if (text == "NaN")
        return quiet_nan(form);
    if (text == "Infinity")
        return exponent_mask(form);
    if (text == "-Infinity")
        return exponent_mask(form) | sign;
    const std::string_view any = "bits(0x";
    const bool is_any = form.size == 16 && text.starts_with(any);
    const std::string_view begin = is_any ? any : "NaN(0x";
    if (!text.starts_with(begin) || !text.ends_with(")") ||
        text.size() != begin.size() + 2 * form.size + 1)
        return std::nullopt;
    wide_unsigned bits = 0;
    for (const char c : text.substr(begin.size(), 2 * form.size)) {
        unsigned digit = 0;
        if (std::from_chars(&c, &c + 1, digit, 16).ec != std::errc())
            return std::nullopt;
        bits = bits << 4 | digit;
    }
    const wide_unsigned fraction = (wide_unsigned{1} << form.fraction_bits) - 1;
    if (!is_any && ((bits & exponent_mask(form)) != exponent_mask(form) || (bits & fraction) == 0))
        return std::nullopt;
    return bits;
}

} // namespace

real_text to_real_text(std::span<const std::byte> image)
{
    const real_form form = form_of(image.size());
    const wide_unsigned bits = to_integer(image, false).magnitude;
    const wide_unsigned exponent = exponent_mask(form);
    if ((bits & exponent) == exponent) {
        const wide_unsigned sign = wide_unsigned{1} << (8 * form.size - 1);
        if (bits == exponent)
            return {"Infinity", false};
        if (bits == (exponent | sign))
            return {"-Infinity", false};
        if (bits == quiet_nan(form))
            return {"NaN", false};
        return {"NaN(0x" + to_hexadecimal(bits, form.size) + ")", false};
    }
    if (form.size == 16) {
        std::array<std::byte, 16> copy{};
        std::ranges::copy(image, copy.begin());
        long double wide = 0;
        if (!from_binary128(copy, wide))
            return {"bits(0x" + to_hexadecimal(bits, form.size) + ")", false};
        return {to_shortest(wide), true};
    }
    if (form.size == 4)
        return {to_shortest(std::bit_cast<float>(static_cast<std::uint32_t>(bits))), true};
    return {to_shortest(std::bit_cast<double>(static_cast<std::uint64_t>(bits))), true};
}

bool append_real(std::vector<std::byte>& out, std::string_view text, std::size_t size)
{
    if (const auto bits = parse_word(text, form_of(size))) {
        append_integer(out, {*bits, false}, size);
        return true;
    }
    if (!has_number_form(text))
        return false;
    if (size == 16) {
        long double number = 0;
        if (!parse_long(text, number))
            return false;
        const auto image = to_binary128(number);
        out.insert(out.end(), image.begin(), image.end());
        return true;
    }
    float narrow = 0;
    double number = 0;
    if (size == 4 ? !parse_all(text, narrow) : !parse_all(text, number))
        return false;
    append_integer(
        out,
        {size == 4 ? std::bit_cast<std::uint32_t>(narrow) : std::bit_cast<std::uint64_t>(number),
         false},
        size);
    return true;
}

} // namespace wharf::detail
