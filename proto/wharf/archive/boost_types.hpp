// Types of Boost, and of heavy standard headers, that the archive carries itself: without including
// what declares them, and whether or not Boost's serialization header for them is included.
#pragma once

#include <wharf/archive/specialization.hpp>

#include <boost/serialization/level.hpp>

#include <bitset>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <queue>
#include <stack>
#include <type_traits>

namespace boost {
template <class T>
class optional;
namespace unordered {
template <class, class, class, class, class>
class unordered_map;
template <class, class, class, class, class>
class unordered_multimap;
template <class, class, class, class>
class unordered_set;
template <class, class, class, class>
class unordered_multiset;
template <class, class, class, class, class>
class unordered_flat_map;
template <class, class, class, class>
class unordered_flat_set;
} // namespace unordered
namespace chrono {
template <class, class>
class duration;
template <class, class>
class time_point;
} // namespace chrono
namespace posix_time {
class ptime;
class time_duration;
} // namespace posix_time
namespace uuids {
struct uuid;
} // namespace uuids
namespace mpl {
template <class>
struct begin;
template <class>
struct end;
template <class>
struct deref;
template <class>
struct next;
template <class>
struct size;
} // namespace mpl
} // namespace boost

namespace wharf {
class attachment;
class utf8;

/// Specialise as true, with <wharf/memory_image.hpp>, where a class travels as its bytes in memory.
template <class T>
inline constexpr bool is_memory_image = false;
} // namespace wharf

namespace wharf::detail {

/// Refuses with a sentence what cannot be a memory image; <wharf/memory_image.hpp> has it.
template <class T>
consteval bool check_memory_image();

template <class T>
inline constexpr bool is_boost_hash_map =
    is_specialization<T, boost::unordered::unordered_map> ||
    is_specialization<T, boost::unordered::unordered_flat_map> ||
    is_specialization<T, boost::unordered::unordered_multimap>;
template <class T>
inline constexpr bool is_boost_hash_set =
    is_specialization<T, boost::unordered::unordered_set> ||
    is_specialization<T, boost::unordered::unordered_flat_set> ||
    is_specialization<T, boost::unordered::unordered_multiset>;
/// May equal keys occur?
template <class T>
inline constexpr bool is_boost_multi = is_specialization<T, boost::unordered::unordered_multimap> ||
                                       is_specialization<T, boost::unordered::unordered_multiset>;

/// boost::variant, recursive ones included.
template <class T>
concept is_boost_variant = requires(const T& t)
{
    typename T::types;
    typename T::recursive_enabled_types;
    t.which();
};

/// boost::multi_index_container.
template <class T>
concept is_multi_index = requires
{
    typename T::ctor_args_list;
    typename T::index_specifier_type_list;
    typename T::index_type_list;
};
/// Pointers to values as the values that they point to.
template <class T>
struct pointee_iterator {
    const T* const* at;
    const T& operator*() const { return **at; }
    pointee_iterator& operator++()
    {
        ++at;
        return *this;
    }
    pointee_iterator operator++(int) { return {at++}; }
};
/// An index of it whose order is the program's own: sequenced, random_access.
template <class Index>
concept is_rearranged = requires(Index& index, pointee_iterator<typename Index::value_type> first)
{
    index.rearrange(first);
};
/// One that is ordered by its keys.
template <class Index>
concept is_key_ordered = requires(const Index& index)
{
    index.key_comp();
};

/// How many indices it has.
template <class T>
inline constexpr std::size_t indices_of = boost::mpl::size<typename T::index_type_list>::value;

/// boost::dynamic_bitset.
template <class T>
concept is_dynamic_bitset = requires(T& t)
{
    typename T::block_type;
    T::bits_per_block;
    t.num_blocks();
    t.resize(1, true);
};

/// Calls a function with the value of a boost::variant.
template <class Function>
struct variant_visitor {
    using result_type = void;
    Function function;
    template <class T>
    void operator()(T& value) const
    {
        function(value);
    }
};

template <class T>
consteval bool find_complex()
{
    if constexpr (requires(const T& t) {
                      typename T::value_type;
                      T(t.real(), t.imag());
                  })
        return printed_name<T>().starts_with("std::") && // libc++ adds a namespace of its own
               printed_name<T>().find("complex<") < 12;
    else
        return false;
}
/// std::complex.
template <class T>
inline constexpr bool is_complex = find_complex<T>();

template <class T>
inline constexpr bool is_bitset = false;
template <std::size_t N>
inline constexpr bool is_bitset<std::bitset<N>> = true;

template <class T>
inline constexpr bool is_adaptor =
    is_specialization<T, std::stack> || is_specialization<T, std::queue> ||
    is_specialization<T, std::priority_queue>;

/// The container inside of a stack, queue or priority_queue, which is a protected member.
template <class Adaptor>
struct adaptor_access : Adaptor {
    static auto& container(Adaptor& adaptor) { return adaptor.*&adaptor_access::c; }
    static const auto& container(const Adaptor& adaptor) { return adaptor.*&adaptor_access::c; }
    static const auto& order(const Adaptor& adaptor) { return adaptor.*&adaptor_access::comp; }
};

/// A class of BOOST_STRONG_TYPEDEF that has the level primitive_type, as it needs for Boost's own
/// archives.
template <class T>
consteval bool find_strong_typedef()
{
    if constexpr (boost::serialization::implementation_level<T>::value !=
                  static_cast<int>(boost::serialization::primitive_type))
        return false;
    else
        return !std::is_aggregate_v<T> && requires(T & value)
        {
            static_cast<decltype(value.t)&>(value);
            T(value.t);
            value = value.t;
            value.t < value;
        };
}
template <class T>
inline constexpr bool is_strong_typedef = find_strong_typedef<T>();

/// The image of a part of a date: its number.
template <class T>
inline constexpr bool is_date_part =
    std::is_same_v<T, std::chrono::year> || std::is_same_v<T, std::chrono::month> ||
    std::is_same_v<T, std::chrono::day>;
template <class T>
inline constexpr bool is_date =
    std::is_same_v<T, std::chrono::year_month> || std::is_same_v<T, std::chrono::month_day> ||
    std::is_same_v<T, std::chrono::year_month_day>;

/// Has put_borrowed() and get_borrowed() in the archives.
template <class T>
inline constexpr bool is_borrowed =
    is_memory_image<T> || is_complex<T> || is_bitset<T> || is_adaptor<T> || is_date_part<T> ||
    is_date<T> || is_dynamic_bitset<T> || is_boost_variant<T> || is_multi_index<T> ||
    is_strong_typedef<T> || is_specialization<T, boost::optional> || std::is_same_v<T, utf8> ||
    std::is_same_v<T, attachment> || std::is_same_v<T, boost::uuids::uuid> ||
    std::is_same_v<T, boost::posix_time::time_duration> ||
    std::is_same_v<T, boost::posix_time::ptime> || std::is_same_v<T, std::chrono::weekday>;

/// The least bytes that one takes.
template <class T>
consteval std::size_t borrowed_bytes_min()
{
    if constexpr (is_complex<T>)
        return 2 * sizeof(typename T::value_type);
    else if constexpr (std::is_same_v<T, boost::uuids::uuid>)
        return 16;
    else if constexpr (is_memory_image<T>)
        return sizeof(T);
    else if constexpr (std::is_same_v<T, boost::posix_time::time_duration>)
        return 8;
    else
        return 1;
}

} // namespace wharf::detail
