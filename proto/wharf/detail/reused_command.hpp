// Commands that are decoded into the object of the call before: which may, and where it is kept.
#pragma once

#include <wharf/aggregate.hpp>
#include <wharf/archive.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace wharf::detail {

/// Has the author of this class said that serialize() visits every member at every version?
template <class T>
concept asks_for_reuse = requires
{
    requires T::reuse_arguments;
};

template <class T>
consteval bool is_overwritten_class();

/// Does a load leave nothing of what the object was? Of a class with a serialize() nobody knows,
/// so the answer is no; nor is it worth while for what is rare.
template <class T>
inline constexpr bool is_overwritten = is_overwritten_class<T>();
template <class T>
requires(is_leaf<T> || is_duration<T>) inline constexpr bool is_overwritten<T> = true;
template <class T>
requires(is_vector<T> || is_list<T> || is_set<T> ||
         is_specialization<T, std::optional>) inline constexpr bool is_overwritten<T> =
    is_overwritten<typename T::value_type>;
template <class T>
requires is_map<T>
inline constexpr bool is_overwritten<T> =
    is_overwritten<typename T::key_type> && is_overwritten<typename T::mapped_type>;
template <class T, std::size_t N>
inline constexpr bool is_overwritten<T[N]> = is_overwritten<T>;
template <class T, std::size_t N>
inline constexpr bool is_overwritten<std::array<T, N>> = is_overwritten<T>;
template <class First, class Second>
inline constexpr bool is_overwritten<std::pair<First, Second>> =
    is_overwritten<First>&& is_overwritten<Second>;
template <class... Members>
inline constexpr bool is_overwritten<std::tuple<Members...>> = (is_overwritten<Members> && ...);

struct all_overwritten {
    template <class... Members>
    constexpr auto operator()(Members&...) const
    {
        return std::bool_constant<(is_overwritten<Members> && ...)>();
    }
};

/// Members of a plain struct are visited all, always.
template <class T>
consteval bool is_overwritten_class()
{
    if constexpr (asks_for_reuse<T>)
        return true;
    else if constexpr (plain_struct<T>) {
        if constexpr (has_serialize<load_archive, T>)
            return false;
        else
            return decltype(members_of<checked_count<T>()>::visit(std::declval<T&>(),
                                                                  all_overwritten()))::value;
    }
    else
        return false;
}

/// Does a function of this type name its first parameter `const C&`? One that takes a C would copy
/// it where it is kept, and moves it where it is not.
template <class Signature, class C>
inline constexpr bool takes_reference = false;
template <class R, class C, class... Rest>
inline constexpr bool takes_reference<R (*)(const C&, Rest...), C> = true;
template <class R, class C, class... Rest>
inline constexpr bool takes_reference<R (*)(const C&, Rest...) noexcept, C> = true;
template <class R, class F, class C, class... Rest>
inline constexpr bool takes_reference<R (F::*)(const C&, Rest...), C> = true;
template <class R, class F, class C, class... Rest>
inline constexpr bool takes_reference<R (F::*)(const C&, Rest...) noexcept, C> = true;
template <class R, class F, class C, class... Rest>
inline constexpr bool takes_reference<R (F::*)(const C&, Rest...) const, C> = true;
template <class R, class F, class C, class... Rest>
inline constexpr bool takes_reference<R (F::*)(const C&, Rest...) const noexcept, C> = true;

/// Where there is memory to keep, and nothing to leak.
template <class F, class C>
consteval bool reuses_command()
{
    if constexpr (!is_overwritten<C> || std::is_trivially_destructible_v<C>)
        return false;
    else if constexpr (requires { &F::operator(); })
        return takes_reference<decltype(&F::operator()), C>;
    else
        return takes_reference<F, C>;
}

/// A thread's object of one command type.
template <class C>
class kept_command {
public:
    static constexpr std::size_t bytes_max = 1u << 20;

    /// One call's use of the object, unless an outer call on this thread uses it already: a handler
    /// may run its executor, or call another handler.
    class use {
    public:
        explicit use(kept_command& of) : of_(of.is_used_ ? nullptr : &of)
        {
            if (of_ == nullptr)
                return;
            if (!of_->object_)
                of_->object_.emplace();
            of_->is_used_ = true;
        }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use()
        {
            if (of_ == nullptr)
                return;
            of_->is_used_ = false;
            if (bytes_ > bytes_max)
                of_->object_.reset();
        }
        C* object() const noexcept { return of_ ? &*of_->object_ : nullptr; }
        /// What the object was charged. Without it, because its bytes did not load, it is not kept.
        void holds(std::size_t bytes) noexcept { bytes_ = bytes; }

    private:
        kept_command* of_;
        std::size_t bytes_ = static_cast<std::size_t>(-1);
    };

    static kept_command& of_thread()
    {
        static thread_local constinit kept_command kept;
        return kept;
    }

private:
    std::optional<C> object_;
    bool is_used_ = false;
};

} // namespace wharf::detail
