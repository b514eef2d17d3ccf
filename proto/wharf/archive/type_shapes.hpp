// The shape of each type: the chain of choices by which it is stored, once more, as data.
#pragma once

#include <wharf/archive/enum_names.hpp>
#include <wharf/archive/load_pointers.hpp>
#include <wharf/archive/store_pointers.hpp>
#include <wharf/archive/type_shape.hpp>

namespace boost::serialization {
struct binary_object;
} // namespace boost::serialization
namespace boost {
template <class T>
class recursive_wrapper;
struct recursive_variant_;
} // namespace boost

namespace wharf::detail {

template <class T>
consteval type_shape make_type_shape();

template <class... Types>
inline constexpr const type_shape* shapes_of[] = {&shape_holder<std::remove_cv_t<Types>>::value...};

/// What stands in front of a body where it is built: in elements, optionals, behind pointers.
template <class T>
using built_t =
    std::conditional_t<has_save_construct_data<store_archive, T>, built<T>, std::remove_cv_t<T>>;

template <class T>
struct class_visits {
    [[gnu::cold]] static void put(store_archive& archive, const void* value)
    {
        archive.put_element(*static_cast<const T*>(value));
    }
    [[gnu::cold, gnu::noinline]] static void visit(store_archive& archive, const void* object,
                                                   unsigned version)
    {
        visit_members(archive, *const_cast<T*>(static_cast<const T*>(object)), version);
    }
    [[gnu::cold]] static void save_construct(store_archive& archive, const void* object,
                                             unsigned version)
    {
        if constexpr (has_save_construct_data<store_archive, T>)
            boost::serialization::save_construct_data_adl(archive, static_cast<const T*>(object),
                                                          version);
    }
};

template <class T>
struct object_maker {
    [[gnu::cold]] static void construct(void* at) { ::new (at) T(); }
    [[gnu::cold]] static void construct_of_zeros(void* at)
    {
        const std::vector<std::byte> zeros(1024);
        load_archive archive(zeros);
        class_functions<T>::construct(archive, static_cast<T*>(at));
    }
    // By no delete-expression, which warns of classes that have virtual functions only.
    [[gnu::cold]] static void destroy(void* object) noexcept { static_cast<T*>(object)->~T(); }
};

template <class T>
consteval object_functions make_object_functions()
{
    object_functions made{};
    if constexpr (std::is_destructible_v<T> && !std::is_const_v<T>) {
        made.size = sizeof(T);
        made.alignment = alignof(T);
        made.destroy = &object_maker<T>::destroy;
        if constexpr (std::is_default_constructible_v<T>)
            made.construct = &object_maker<T>::construct;
        else if constexpr (has_load_construct_data<load_archive, T> && !std::is_abstract_v<T>)
            made.construct = &object_maker<T>::construct_of_zeros;
    }
    return made;
}
template <class T>
inline constexpr object_functions object_functions_of = make_object_functions<T>();

template <class T>
inline constinit const class_shape shape_of_class{
    .type = &typeid(T),
    .cell = &class_cell_of<T>,
    .version = boost::serialization::version<T>::value,
    .has_version = has_version<T>,
    .is_abstract = std::is_abstract_v<T>,
    .visit = &class_visits<T>::visit,
    .save_construct =
        has_save_construct_data<store_archive, T> ? &class_visits<T>::save_construct : nullptr,
    .object = &object_functions_of<T>};

template <class... Types>
consteval type_shape make_shape_of_parts(schema_kind kind)
{
    type_shape shape{.kind = kind};
    if constexpr (sizeof...(Types) != 0) {
        shape.part_count = sizeof...(Types);
        shape.parts = shapes_of<Types...>;
    }
    return shape;
}

template <class Number>
consteval type_shape make_integer_shape()
{
    using number = wire_number_t<Number>;
    type_shape shape{.kind = schema_kind::integer};
    shape.size = sizeof(number);
    // Characters are signed wherever they travel to.
    shape.is_signed = std::is_same_v<Number, char> || std::is_same_v<Number, wchar_t> ||
                      static_cast<number>(-1) < static_cast<number>(0);
    return shape;
}

template <class Real>
consteval type_shape make_real_shape()
{
    type_shape shape{.kind = schema_kind::real};
    shape.size = std::is_same_v<Real, float> ? 4 : std::is_same_v<Real, double> ? 8 : 16;
    return shape;
}

template <class Enum>
consteval type_shape make_enum_type_shape()
{
    using number = std::underlying_type_t<Enum>;
    type_shape shape{.kind = schema_kind::enumeration};
    if constexpr (std::is_same_v<number, bool>)
        shape.size = 1;
    else
        shape = make_integer_shape<number>();
    shape.kind = schema_kind::enumeration;
    shape.of_enum = &shape_of_enum<Enum>;
    return shape;
}

/// Are keys of this type compared as every program compares them?
template <class Key>
inline constexpr bool is_natural_key =
    is_number<Key> || std::is_same_v<Key, bool> || std::is_same_v<Key, long double> ||
    std::is_enum_v<Key> || is_string<Key> || std::is_same_v<Key, utf8>;
template <class... Members>
inline constexpr bool is_natural_key<std::tuple<Members...>> = (is_natural_key<Members> && ...);
template <class First, class Second>
inline constexpr bool is_natural_key<std::pair<First, Second>> =
    is_natural_key<First>&& is_natural_key<Second>;
template <class T, class Allocator>
inline constexpr bool is_natural_key<std::vector<T, Allocator>> = is_natural_key<T>;
template <class T>
inline constexpr bool is_natural_key<std::optional<T>> = is_natural_key<T>;
template <class... Alternatives>
inline constexpr bool
    is_natural_key<std::variant<Alternatives...>> = (is_natural_key<Alternatives> && ...);

template <class T>
consteval std::uint8_t find_order()
{
    if constexpr (requires { typename T::key_compare; }) {
        using compare = typename T::key_compare;
        if (is_natural_key<typename T::key_type>)
            return is_specialization<compare, std::less>      ? 0
                   : is_specialization<compare, std::greater> ? 1
                                                              : 2;
    }
    return 2;
}

template <class T>
consteval type_shape make_keyed_shape()
{
    using key = built_t<typename T::key_type>;
    type_shape shape{.kind = schema_kind::set};
    if constexpr (is_map<T>)
        shape = make_shape_of_parts<key, built_t<typename T::mapped_type>>(schema_kind::map);
    else
        shape = make_shape_of_parts<key>(schema_kind::set);
    shape.is_multi = is_multi<T>;
    shape.is_unordered = !is_value_ordered<T>;
    shape.order = shape.is_unordered ? 0 : find_order<T>();
    return shape;
}

/// The alternatives of a boost::variant, which come as a list of types.
template <class Type, class End, class... Before>
consteval type_shape make_boost_variant_shape()
{
    if constexpr (std::is_same_v<Type, End>)
        return make_shape_of_parts<built_t<Before>...>(schema_kind::variant);
    else
        return make_boost_variant_shape<typename boost::mpl::next<Type>::type, End, Before...,
                                        typename boost::mpl::deref<Type>::type>();
}

template <class T>
inline constexpr bool is_byte_vector = false;
template <class Allocator>
inline constexpr bool is_byte_vector<std::vector<std::byte, Allocator>> = true;

template <class T>
consteval type_shape make_opaque_shape(const char* why)
{
    type_shape shape{.kind = schema_kind::opaque};
    shape.why = why;
    return shape;
}

/// A member of a memory image, where arrays have no count.
template <class T>
struct in_image;

struct list_image_members {
    template <class... Members>
    std::tuple<std::type_identity<Members>...> operator()(Members&...) const
    {
        return {};
    }
};
template <class T>
inline constexpr auto image_names = [] {
    std::array<const char*, member_names<T>.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = member_names<T>[i].data();
    return all;
}();

/// Has a multi_index_container an index, but the first, whose order travels?
template <class T>
consteval bool has_order_of_its_own()
{
    return []<std::size_t... I>(std::index_sequence<I...>)
    {
        return (is_rearranged<std::remove_cvref_t<
                    decltype(std::declval<T&>().template get<static_cast<int>(I + 1)>())>> ||
                ...);
    }
    (std::make_index_sequence<indices_of<T> - 1>{});
}

template <class T>
consteval type_shape make_image_shape()
{
    if constexpr (plain_struct<T>) {
        using members =
            decltype(members_of<member_count<T>>::visit(std::declval<T&>(), list_image_members{}));
        return []<class... Members>(
                   std::type_identity<std::tuple<std::type_identity<Members>...>>) {
            type_shape shape =
                make_shape_of_parts<in_image<std::remove_cv_t<Members>>...>(schema_kind::record);
            shape.names = image_names<T>.data();
            return shape;
        }(std::type_identity<members>{});
    }
    else {
        type_shape shape{.kind = schema_kind::fixed_bytes};
        shape.count = sizeof(T);
        return shape;
    }
}

template <class T>
consteval type_shape make_borrowed_shape()
{
    if constexpr (is_complex<T>)
        return make_shape_of_parts<typename T::value_type, typename T::value_type>(
            schema_kind::tuple);
    else if constexpr (std::is_same_v<T, boost::uuids::uuid>) {
        type_shape shape{.kind = schema_kind::fixed_bytes};
        shape.count = 16;
        return shape;
    }
    else if constexpr (is_memory_image<T>)
        return make_image_shape<T>();
    else if constexpr (std::is_same_v<T, utf8>) {
        type_shape shape{.kind = schema_kind::string};
        shape.size = 1;
        shape.is_utf8 = true;
        return shape;
    }
    else if constexpr (std::is_same_v<T, attachment>)
        return {.kind = schema_kind::bytes};
    else if constexpr (is_strong_typedef<T>)
        return make_type_shape<std::remove_cvref_t<decltype(std::declval<T&>().t)>>();
    else if constexpr (std::is_same_v<T, boost::posix_time::time_duration>)
        return make_integer_shape<std::int64_t>();
    else if constexpr (std::is_same_v<T, boost::posix_time::ptime>)
        return make_opaque_shape<T>("a ptime has a time of day only where its date is one");
    else if constexpr (std::is_same_v<T, std::chrono::year>)
        return make_integer_shape<std::int16_t>();
    else if constexpr (is_date_part<T> || std::is_same_v<T, std::chrono::weekday>)
        return make_integer_shape<std::uint8_t>();
    else if constexpr (std::is_same_v<T, std::chrono::year_month>)
        return make_shape_of_parts<std::int16_t, std::uint8_t>(schema_kind::tuple);
    else if constexpr (std::is_same_v<T, std::chrono::month_day>)
        return make_shape_of_parts<std::uint8_t, std::uint8_t>(schema_kind::tuple);
    else if constexpr (std::is_same_v<T, std::chrono::year_month_day>)
        return make_shape_of_parts<std::int16_t, std::uint8_t, std::uint8_t>(schema_kind::tuple);
    else if constexpr (is_bitset<T>) {
        type_shape shape{.kind = schema_kind::bits};
        shape.count = T().size();
        return shape;
    }
    else if constexpr (is_dynamic_bitset<T>)
        return {.kind = schema_kind::bits};
    else if constexpr (is_adaptor<T>)
        return make_type_shape<typename T::container_type>();
    else if constexpr (is_specialization<T, boost::optional>)
        return make_shape_of_parts<built_t<typename T::value_type>>(schema_kind::optional);
    else if constexpr (is_boost_variant<T>) {
        using types = typename T::types;
        return make_boost_variant_shape<typename boost::mpl::begin<types>::type,
                                        typename boost::mpl::end<types>::type>();
    }
    else if constexpr (has_order_of_its_own<T>())
        return make_opaque_shape<T>("a multi_index_container with two orders of its own");
    else
        return make_shape_of_parts<built_t<typename T::value_type>>(schema_kind::list);
}

template <class T>
consteval type_shape make_pointer_shape()
{
    using object = pointee_t<T>;
    type_shape shape = make_shape_of_parts<object_of<object>>(schema_kind::pointer);
    shape.ownership = static_cast<std::uint8_t>(ownership_of<T>());
    shape.is_polymorphic = std::is_polymorphic_v<object>;
    shape.is_weak = is_weak<T>;
    shape.is_untracked = is_never_tracked<object>;
    return shape;
}

template <class T>
consteval type_shape make_record_shape()
{
    type_shape shape{.kind = schema_kind::record};
    shape.of_class = &shape_of_class<T>;
    return shape;
}

template <class T>
consteval type_shape make_class_shape()
{
    if constexpr (is_always_tracked<T>)
        return make_shape_of_parts<object_of<T>>(schema_kind::tracked);
    else
        return make_record_shape<T>();
}

/// As put(): the same choices in the same order.
template <class T>
consteval type_shape make_type_shape()
{
    namespace bs = boost::serialization;
    if constexpr (std::is_same_v<T, bool>)
        return {.kind = schema_kind::boolean};
    else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> ||
                       std::is_same_v<T, long double>)
        return make_real_shape<T>();
    else if constexpr (is_number<T>)
        return make_integer_shape<T>();
    else if constexpr (std::is_enum_v<T>)
        return make_enum_type_shape<T>();
    else if constexpr (is_string<T>) {
        type_shape shape{.kind = schema_kind::string};
        shape.size = sizeof(wire_number_t<typename T::value_type>);
        return shape;
    }
    else if constexpr (is_vector_bool<T>)
        return {.kind = schema_kind::bits};
    else if constexpr (is_byte_vector<T>)
        return {.kind = schema_kind::bytes};
    else if constexpr (std::is_array_v<T> || is_std_array<T>) {
        type_shape shape =
            make_shape_of_parts<std::remove_cvref_t<decltype(std::declval<const T&>()[0])>>(
                schema_kind::array);
        if constexpr (is_std_array<T>)
            shape.count = std::tuple_size_v<T>;
        else
            shape.count = std::extent_v<T>;
        return shape;
    }
    else if constexpr (is_valarray<T>)
        return make_shape_of_parts<typename T::value_type>(schema_kind::list);
    else if constexpr (is_vector<T> || is_list<T>)
        return make_shape_of_parts<built_t<typename T::value_type>>(schema_kind::list);
    else if constexpr (is_map<T> || is_set<T>)
        return make_keyed_shape<T>();
    else if constexpr (is_specialization<T, std::pair>)
        return make_shape_of_parts<typename T::first_type, typename T::second_type>(
            schema_kind::tuple);
    else if constexpr (is_specialization<T, std::tuple>)
        return []<class... Members>(std::type_identity<std::tuple<Members...>>) {
            return make_shape_of_parts<Members...>(schema_kind::tuple);
        }(std::type_identity<T>{});
    else if constexpr (is_specialization<T, std::optional>)
        return make_shape_of_parts<built_t<typename T::value_type>>(schema_kind::optional);
    else if constexpr (is_specialization<T, std::variant>)
        return []<class... Types>(std::type_identity<std::variant<Types...>>) {
            return make_shape_of_parts<built_t<Types>...>(schema_kind::variant);
        }(std::type_identity<T>{});
    else if constexpr (std::is_same_v<T, std::monostate> || std::is_void_v<T>)
        return {.kind = schema_kind::nothing};
    else if constexpr (is_duration<T> || is_time_point<T>)
        return make_type_shape<typename T::rep>();
    else if constexpr (is_path<T>)
        return make_type_shape<typename T::string_type>();
    else if constexpr (is_array_wrapper<T>) {
        type_shape shape =
            make_shape_of_parts<std::remove_cvref_t<decltype(*std::declval<const T&>().address())>>(
                schema_kind::run);
        shape.count_of = [](const void* value) -> std::uint64_t {
            return static_cast<const T*>(value)->count();
        };
        return shape;
    }
    else if constexpr (std::is_same_v<T, bs::collection_size_type> ||
                       std::is_same_v<T, bs::library_version_type>)
        return {.kind = schema_kind::varint};
    else if constexpr (std::is_same_v<T, bs::item_version_type>)
        return {.kind = schema_kind::nothing, .is_silent = true};
    else if constexpr (std::is_same_v<T, bs::binary_object>) {
        type_shape shape{.kind = schema_kind::fixed_bytes};
        shape.count_of = [](const void* value) -> std::uint64_t {
            return static_cast<const T*>(value)->m_size;
        };
        return shape;
    }
    else if constexpr (is_borrowed<T>)
        return make_borrowed_shape<T>();
    else if constexpr (is_pointer<T>)
        return make_pointer_shape<T>();
    else
        return make_class_shape<T>();
}

/// Are there classes in a value, as far as its type shows?
template <class T>
inline constexpr bool may_hold_class = !is_leaf<T>;
template <class T>
requires(is_vector<T> || is_list<T> || is_set<T> ||
         is_std_array<T>) inline constexpr bool may_hold_class<T> =
    may_hold_class<typename T::value_type>;
template <class T>
requires is_map<T>
inline constexpr bool may_hold_class<T> =
    may_hold_class<typename T::key_type> || may_hold_class<typename T::mapped_type>;
template <class T>
inline constexpr bool may_hold_class<std::optional<T>> = may_hold_class<T>;

template <class T>
inline constexpr bool
    has_parts_of_value = is_list<T> || is_map<T> || is_set<T> ||
                         (is_vector<T> && !is_vector_bool<T>) || std::is_array_v<T> ||
                         is_std_array<T> || is_specialization<T, std::optional> ||
                         is_specialization<T, boost::optional> || is_specialization<T, std::pair> ||
                         is_specialization<T, std::tuple> || is_specialization<T, std::variant>;

template <class T>
[[gnu::cold]] const void* find_part(const void* value, unsigned part)
{
    const T& whole = *static_cast<const T*>(value);
    if constexpr (std::is_array_v<T> || is_std_array<T>)
        return std::size(whole) == 0 ? nullptr : std::addressof(whole[0]);
    else if constexpr (is_specialization<T, std::optional> || is_specialization<T, boost::optional>)
        return whole ? std::addressof(*whole) : nullptr;
    else if constexpr (is_specialization<T, std::pair>)
        return part == 0 ? static_cast<const void*>(std::addressof(whole.first))
                         : std::addressof(whole.second);
    else if constexpr (is_specialization<T, std::tuple>)
        return std::apply(
            [&](const auto&... members) {
                const void* const all[] = {std::addressof(members)..., nullptr};
                return all[part];
            },
            whole);
    else if constexpr (is_specialization<T, std::variant>)
        return whole.index() != part
                   ? nullptr
                   : std::visit([](const auto& held) -> const void* { return &held; }, whole);
    else if (whole.begin() == whole.end())
        return nullptr;
    else if constexpr (is_map<T>)
        return part == 0 ? static_cast<const void*>(std::addressof(whole.begin()->first))
                         : std::addressof(whole.begin()->second);
    else
        return std::addressof(*whole.begin());
}

/// The body of an object behind a pointer, which has no tag.
template <class T>
struct body_of;

template <class T>
struct shape_maker {
    static consteval type_shape make()
    {
        type_shape shape = make_type_shape<T>();
        if constexpr (!std::is_void_v<T>)
            shape.put = &class_visits<T>::put;
        if constexpr (has_parts_of_value<T>)
            if constexpr (may_hold_class<T>)
                shape.part_of = &find_part<T>;
        return shape;
    }
};
template <class T>
struct shape_maker<body_of<T>> {
    static consteval type_shape make()
    {
        if constexpr (is_always_tracked<T>)
            return make_record_shape<T>();
        else
            return make_type_shape<T>();
    }
};
template <class T>
struct shape_maker<object_of<T>> {
    static consteval type_shape make()
    {
        if constexpr (has_save_construct_data<store_archive, T>) {
            type_shape shape = make_shape_of_parts<body_of<T>>(schema_kind::constructed);
            shape.of_class = &shape_of_class<T>;
            return shape;
        }
        else
            return shape_maker<body_of<T>>::make();
    }
};
template <class T>
struct shape_maker<built<T>> {
    static consteval type_shape make()
    {
        type_shape shape = make_shape_of_parts<T>(schema_kind::constructed);
        shape.of_class = &shape_of_class<T>;
        return shape;
    }
};
template <class T>
struct shape_maker<in_image<T>> {
    static consteval type_shape make()
    {
        if constexpr (std::is_array_v<T> || is_std_array<T>) {
            using element = std::remove_cvref_t<decltype(std::declval<const T&>()[0])>;
            type_shape shape = make_shape_of_parts<in_image<element>>(schema_kind::run);
            shape.count = sizeof(T) / sizeof(element);
            return shape;
        }
        else if constexpr (is_number<T> || std::is_enum_v<T> || is_complex<T>)
            return make_type_shape<T>();
        else
            return make_image_shape<T>();
    }
};

template <class T>
constinit const type_shape shape_holder<T>::value = shape_maker<T>::make();

} // namespace wharf::detail
