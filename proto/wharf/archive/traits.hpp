// Which C++ types the archive knows itself, and how few bytes each takes.
#pragma once

#include <wharf/archive/boost_types.hpp>
#include <wharf/archive/enums.hpp>
#include <wharf/archive/wire.hpp>

#include <boost/serialization/array_wrapper.hpp>
#include <boost/serialization/nvp.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace boost {
template <class T>
class scoped_ptr;
template <class T>
class shared_ptr;
template <class T>
class weak_ptr;
} // namespace boost

namespace wharf::detail {

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <class T>
inline constexpr bool is_nvp = is_specialization<T, boost::serialization::nvp>;
template <class T>
inline constexpr bool is_array_wrapper = is_specialization<T, boost::serialization::array_wrapper>;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
template <class Rep, class Period>
inline constexpr bool is_duration<boost::chrono::duration<Rep, Period>> = true;
template <class T>
inline constexpr bool is_time_point = false;
template <class Clock, class Duration>
inline constexpr bool is_time_point<std::chrono::time_point<Clock, Duration>> = true;
template <class Clock, class Duration>
inline constexpr bool is_time_point<boost::chrono::time_point<Clock, Duration>> = true;

/// std::filesystem::path without its header, and its Boost twin.
template <class T>
concept is_path = requires(const T& t)
{
    typename T::string_type;
    T::preferred_separator;
    t.native();
    t.root_directory();
};

/// std::valarray without its header, which brings <cmath>.
template <class T>
concept is_valarray = requires(const T& t)
{
    typename T::value_type;
    t.cshift(0);
    t.shift(0);
    t.sum();
    t.min();
};

template <class T>
inline constexpr bool is_string = is_specialization<T, std::basic_string>;
template <class T>
inline constexpr bool is_vector_bool = false;
template <class Allocator>
inline constexpr bool is_vector_bool<std::vector<bool, Allocator>> = true;
template <class T>
inline constexpr bool is_vector = is_specialization<T, std::vector>;
template <class T>
inline constexpr bool is_list =
    is_specialization<T, std::deque> || is_specialization<T, std::list> ||
    is_specialization<T, std::forward_list>;

template <class T>
inline constexpr bool is_ordered_map =
    is_specialization<T, std::map> || is_specialization<T, std::multimap>;
template <class T>
inline constexpr bool is_ordered_set =
    is_specialization<T, std::set> || is_specialization<T, std::multiset>;
template <class T>
inline constexpr bool is_hash_map =
    is_specialization<T, std::unordered_map> || is_specialization<T, std::unordered_multimap> ||
    is_boost_hash_map<T>;
template <class T>
inline constexpr bool is_hash_set =
    is_specialization<T, std::unordered_set> || is_specialization<T, std::unordered_multiset> ||
    is_boost_hash_set<T>;
template <class T>
inline constexpr bool is_map = is_ordered_map<T> || is_hash_map<T>;
template <class T>
inline constexpr bool is_set = is_ordered_set<T> || is_hash_set<T>;
/// May equal keys occur?
template <class T>
inline constexpr bool is_multi =
    is_specialization<T, std::multimap> || is_specialization<T, std::multiset> ||
    is_specialization<T, std::unordered_multimap> ||
    is_specialization<T, std::unordered_multiset> || is_boost_multi<T>;

/// What points to an object; raw pointers among them, which only some classes allow.
template <class T>
inline constexpr bool is_pointer =
    std::is_pointer_v<T> || is_specialization<T, std::shared_ptr> ||
    is_specialization<T, std::weak_ptr> || is_specialization<T, std::unique_ptr> ||
    is_specialization<T, boost::shared_ptr> || is_specialization<T, boost::weak_ptr> ||
    is_specialization<T, boost::scoped_ptr>;

/// Is a key told from another by where objects are, so that its order is another in each process?
template <class Key>
inline constexpr bool has_address = is_pointer<Key>;
template <class... Members>
inline constexpr bool has_address<std::tuple<Members...>> = (has_address<Members> || ...);
template <class First, class Second>
inline constexpr bool has_address<std::pair<First, Second>> =
    has_address<First> || has_address<Second>;
template <class T, class Allocator>
inline constexpr bool has_address<std::vector<T, Allocator>> = has_address<T>;
template <class T>
inline constexpr bool has_address<std::optional<T>> = has_address<T>;

template <class Compare, class Key>
inline constexpr bool is_default_order =
    is_specialization<Compare, std::less> || is_specialization<Compare, std::greater> ||
    is_specialization<Compare, std::owner_less>;

/// Are the keys in the order of their values, which every process sees alike? A comparator of the
/// program's own is taken to look at what pointers point to.
template <class T>
inline constexpr bool is_value_ordered = false;
template <class T>
requires(is_ordered_map<T> || is_ordered_set<T>) inline constexpr bool is_value_ordered<T> =
    !(has_address<typename T::key_type> &&
      is_default_order<typename T::key_compare, typename T::key_type>);

template <class T>
inline constexpr bool is_int128 = false;
#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;
template <>
inline constexpr bool is_int128<int128> = true;
template <>
inline constexpr bool is_int128<uint128> = true;
#endif

/// A number whose image is a fixed count of little-endian bytes. bool and long double are apart.
template <class T>
inline constexpr bool
    is_number = (std::is_integral_v<T> && !std::is_same_v<T, bool>) || is_int128<T> ||
                std::is_same_v<T, float> || std::is_same_v<T, double>;

/// The type that a number travels as: the width of long and wchar_t is the same on every machine.
template <class T>
struct wire_number {
    using type = T;
};
template <>
struct wire_number<long> {
    using type = std::int64_t;
};
template <>
struct wire_number<unsigned long> {
    using type = std::uint64_t;
};
template <>
struct wire_number<wchar_t> {
    using type = std::conditional_t<std::is_signed_v<wchar_t>, std::int32_t, std::uint32_t>;
};
template <class T>
using wire_number_t = typename wire_number<T>::type;

template <class T>
consteval bool is_same_in_memory()
{
    if constexpr (is_number<T>)
        return is_little_endian && sizeof(T) == sizeof(wire_number_t<T>);
    else if constexpr (std::is_enum_v<T>)
        // Of such an enum every value is legal, so there is nothing to check in a run of them.
        return has_fixed_underlying_type<T> && is_same_in_memory<std::underlying_type_t<T>>();
    else if constexpr (is_complex<T>)
        return is_same_in_memory<typename T::value_type>();
    else if constexpr (is_memory_image<T>)
        return check_memory_image<T>();
    else
        return false;
}

/// In memory as on the wire: a run of these, std::byte among them, is copied as one block.
template <class T>
inline constexpr bool is_block = is_same_in_memory<T>();

/// Storing one cannot fail but for lack of memory.
template <class T>
inline constexpr bool is_leaf = is_number<T> || std::is_same_v<T, bool> ||
                                std::is_same_v<T, long double> || std::is_enum_v<T> || is_string<T>;

template <class Container>
inline constexpr bool is_leaf_container = is_leaf<typename Container::value_type>;
template <class Container>
requires is_map<Container>
inline constexpr bool is_leaf_container<Container> =
    is_leaf<typename Container::key_type> && is_leaf<typename Container::mapped_type>;

/// The least bytes that a T takes; 0 where that is not known. A count is checked against it.
template <class T>
constexpr std::size_t bytes_min()
{
    if constexpr (std::is_const_v<T>)
        return bytes_min<std::remove_const_t<T>>();
    else if constexpr (std::is_same_v<T, bool>)
        return 1;
    else if constexpr (std::is_same_v<T, long double>)
        return 16;
    else if constexpr (is_number<T>)
        return sizeof(wire_number_t<T>);
    else if constexpr (std::is_enum_v<T>)
        return bytes_min<std::underlying_type_t<T>>();
    else if constexpr (is_string<T> || is_vector<T> || is_list<T> || is_map<T> || is_set<T> ||
                       is_path<T> || is_pointer<T> || is_valarray<T> || std::is_array_v<T> ||
                       is_std_array<T> || is_specialization<T, std::optional> ||
                       is_specialization<T, std::variant>)
        return 1;
    else if constexpr (is_specialization<T, std::pair>)
        return bytes_min<typename T::first_type>() + bytes_min<typename T::second_type>();
    else if constexpr (is_duration<T> || is_time_point<T>)
        return bytes_min<typename T::rep>();
    else if constexpr (is_borrowed<T>)
        return borrowed_bytes_min<T>();
    else if constexpr (is_specialization<T, std::tuple>)
        return []<class... Members>(std::type_identity<std::tuple<Members...>>) {
            return (std::size_t{0} + ... + bytes_min<Members>());
        }(std::type_identity<T>{});
    else
        return 0;
}

} // namespace wharf::detail
