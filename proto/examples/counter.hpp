// A command that answers with a stream, shared by the example daemon and client.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <string_view>

// clang-format off
struct count_up {
    using reply = wharf::stream_of<std::int64_t>;
    static constexpr std::string_view name = "counter.count_up";
    std::int64_t last{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar & BOOST_SERIALIZATION_NVP(last);
    }
};
// clang-format on
