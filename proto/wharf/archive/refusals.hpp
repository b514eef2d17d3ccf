// Types that the archive knows by name and cannot carry: each refusal is a sentence that says what
// to store instead.
#pragma once

#include <wharf/archive/specialization.hpp>

#include <span>
#include <string_view>
#include <type_traits>

namespace wharf::detail {

/// What is refused before anything is asked of it.
template <class T>
constexpr void check_not_refused()
{
    static_assert(!std::is_member_pointer_v<T> && !std::is_null_pointer_v<T>,
                  "wharf: a pointer to a member or a null pointer constant cannot travel");
    static_assert(!std::is_function_v<T>,
                  "wharf: a function cannot travel: store the name of a command");
    static_assert(!is_specialization<T, std::basic_string_view>,
                  "wharf: std::string_view does not own what it shows: store a std::string");
    static_assert(!std::is_floating_point_v<T>, "wharf: this floating point type cannot travel");
    static_assert(!std::is_volatile_v<T>, "wharf: a volatile object cannot travel: store a copy");
}

/// Is T std::`name`, or a specialization of it where the name ends in `<`? The inline namespaces of
/// standard libraries are skipped.
template <class T>
consteval bool is_std(std::string_view name)
{
    std::string_view own = printed_name<T>();
    if (!own.starts_with("std::"))
        return false;
    own.remove_prefix(5);
    while (own.starts_with("__") && own.find("::") < own.find('<'))
        own.remove_prefix(own.find("::") + 2);
    return name.ends_with('<') ? own.starts_with(name) : own == name;
}

/// Classes whose serialize() in Boost believes what it reads: sizes that do not agree, indices,
/// counts of what it then allocates. Hostile bytes would get past the archive through them.
template <class T>
constexpr void check_trusting_class()
{
    constexpr std::string_view name = printed_name<T>();
    static_assert(!name.starts_with("boost::multiprecision::number<"),
                  "wharf: Boost's serialize() of this number believes the sizes that it reads: "
                  "store its str()");
    static_assert(!name.starts_with("boost::ptr_"),
                  "wharf: Boost's serialize() of this container reserves any count that it reads: "
                  "store a container of std::unique_ptr");
    static_assert(
        !name.starts_with("boost::numeric::ublas::") &&
            !name.starts_with("boost::adjacency_list<") &&
            !name.starts_with("boost::histogram::") && !name.starts_with("boost::accumulators::") &&
            !name.starts_with("boost::geometry::index::") && !name.starts_with("boost::msm::"),
        "wharf: Boost's serialize() of this class believes the sizes and indices that it "
        "reads: store what it was made from");
}

/// A class of the standard library or of Boost that has no serialize().
template <class T>
constexpr void check_library_class()
{
    constexpr bool is_callable =
        is_std<T>("function<") || printed_name<T>().starts_with("boost::function<");
    constexpr bool is_view = is_std<T>("span<") || is_std<T>("initializer_list<");
    constexpr bool is_any = is_std<T>("any") || printed_name<T>() == "boost::any";
    constexpr bool is_of_threads =
        is_std<T>("thread") || is_std<T>("jthread") || is_std<T>("mutex") ||
        is_std<T>("recursive_mutex") || is_std<T>("shared_mutex") || is_std<T>("timed_mutex") ||
        is_std<T>("condition_variable") || is_std<T>("future<") || is_std<T>("promise<");
    constexpr bool is_stream = is_std<T>("basic_fstream<") || is_std<T>("basic_ifstream<") ||
                               is_std<T>("basic_ofstream<") || is_std<T>("basic_stringstream<") ||
                               is_std<T>("basic_istream<") || is_std<T>("basic_ostream<") ||
                               is_std<T>("basic_filebuf<");
    static_assert(!is_callable, "wharf: a function object holds code, which cannot travel: store "
                                "the name of a command and its arguments");
    static_assert(!is_view, "wharf: this view does not own what it shows: store a std::vector");
    static_assert(!is_any, "wharf: an any can hold what the other end does not know: store a "
                           "std::variant of what it may hold");
    static_assert(!is_std<T>("atomic<"),
                  "wharf: an atomic is shared by threads while it would be read: store what its "
                  "load() returns");
    static_assert(!is_of_threads,
                  "wharf: threads and locks are of one process: store what they produce or guard");
    static_assert(!is_stream, "wharf: a stream cannot travel: store what it contains");
    static_assert(!is_std<T>("reference_wrapper<"),
                  "wharf: a reference does not own its object: store the object itself");
    static_assert(!is_std<T>("exception_ptr"),
                  "wharf: an exception cannot travel: store its text, or answer with a "
                  "wharf::error");
    static_assert(!is_std<T>("error_code") && !is_std<T>("error_condition") &&
                      printed_name<T>() != "boost::system::error_code",
                  "wharf: the category of an error code is an address in this process: store its "
                  "value and the name of its category");
    static_assert(!is_std<T>("type_index"), "wharf: a type cannot travel: store an export key");
    static_assert(!is_std<T>("basic_regex<"),
                  "wharf: a compiled expression cannot travel: store its text");
    static_assert(!is_std<T>("coroutine_handle<"), "wharf: a coroutine is of one process");
    static_assert(!is_std<T>("locale"), "wharf: a locale is of one process: store its name");
    static_assert(!printed_name<T>().starts_with("boost::intrusive_ptr<"),
                  "wharf: boost::intrusive_ptr has no count that the archive knows: use "
                  "boost::shared_ptr");
    static_assert(!printed_name<T>().starts_with("boost::basic_string_view<") &&
                      !printed_name<T>().starts_with("boost::core::basic_string_view<"),
                  "wharf: boost::string_view does not own what it shows: store a std::string");
    constexpr bool is_named_above =
        is_callable || is_view || is_any || is_of_threads || is_stream || is_std<T>("atomic<") ||
        is_std<T>("reference_wrapper<") || is_std<T>("exception_ptr") || is_std<T>("error_code") ||
        is_std<T>("error_condition") || is_std<T>("type_index") || is_std<T>("basic_regex<") ||
        is_std<T>("coroutine_handle<") || is_std<T>("locale") ||
        printed_name<T>().starts_with("boost::intrusive_ptr<") ||
        printed_name<T>() == "boost::system::error_code" ||
        printed_name<T>().find("basic_string_view<") < 14;
    static_assert(is_named_above,
                  "wharf: this type of a library has no serialize() here: include the header of "
                  "boost/serialization that has it, or write a free one");
}

} // namespace wharf::detail
