// The commands that the client's tests call.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

struct echo {
    using reply = std::string;
    static constexpr std::string_view name = "test.echo";
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(text);
    }
};

struct twice {
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.twice";
    std::int64_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};

/// Nothing but done or not done.
struct touch {
    using reply = void;
    static constexpr std::string_view name = "test.touch";
    std::int64_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};

/// Never answered, unless the test releases it.
struct wait_for_ever {
    using reply = std::string;
    static constexpr std::string_view name = "test.wait";
    std::int64_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};

namespace wharf {
/// For Boost.Test, which finds it by argument-dependent look-up.
inline std::ostream& boost_test_print_type(std::ostream& out, errc code)
{
    return out << to_name(code);
}
} // namespace wharf
