// The rows of the archive's benchmark: what each system can do with each value, ready to be timed.
#pragma once

#include "archive_values.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::archive {

template <class T>
constexpr const char* letter = "";
template <>
inline constexpr const char* letter<small> = "S";
template <>
inline constexpr const char* letter<medium> = "M";
template <>
inline constexpr const char* letter<large> = "L";
template <>
inline constexpr const char* letter<pool> = "P";

/// One thing to time.
struct row {
    std::string workload, system, action;
    std::size_t bytes = 0;                  ///< of the encoded value
    std::function<void(std::uint64_t)> run; ///< does it so many times
};
using rows = std::vector<row>;

/// The compiler must take `value` for used, and memory for read and written.
template <class T>
[[gnu::always_inline]] inline void keep(const T& value)
{
    asm volatile("" : : "r"(&value) : "memory");
}

/// Adds a row whose loop is compiled around `once`.
template <class T, class F>
void add(rows& to, std::string system, std::string action, std::size_t bytes, F once)
{
    to.push_back({letter<T>, std::move(system), std::move(action), bytes,
                  [once = std::move(once)](std::uint64_t n) mutable {
                      for (; n != 0; --n)
                          once();
                  }});
}

/// What was decoded before anything is timed must be what was encoded.
template <class T>
void verify(const T& decoded, const std::string& system)
{
    if (!(decoded == make<T>()))
        throw std::runtime_error(system + " decodes " + letter<T> + " wrongly");
}

// A file each.
void add_wharf(rows& to);
void add_wharf_pmr(rows& to);
void add_boost(rows& to);
void add_protobuf(rows& to);
void add_cereal(rows& to);
void add_msgpack(rows& to);
/// memcpy of Wharf's bytes, and copying the object.
void add_floors(rows& to);

} // namespace bench::archive
