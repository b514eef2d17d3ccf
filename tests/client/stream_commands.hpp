// The streaming commands that the client's tests call.
#pragma once

#include "commands.hpp"

/// Counts up, for as long as it is told.
struct ticks {
    using reply = wharf::stream_of<std::int64_t>;
    static constexpr std::string_view name = "test.ticks";
    std::int64_t count{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(count);
    }
};

/// Answers with the number of bytes that were uploaded.
struct pour {
    using upload = wharf::stream_of<std::string>;
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.pour";
    std::int64_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};

/// Sends back what is uploaded.
struct mirror {
    using upload = wharf::stream_of<std::string>;
    using reply = wharf::stream_of<std::string>;
    static constexpr std::string_view name = "test.mirror";
    std::int64_t number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};
