// A command that the example daemons and clients share: eight lines for a typed call.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <string_view>

// clang-format off
struct add {
    using reply = std::int64_t;
    static constexpr std::string_view name = "calculator.add";
    std::int64_t a{}, b{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar & BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
    }
};
// clang-format on
