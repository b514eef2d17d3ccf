// Commands of which this program has version VERSION: 1, 2 or 3. The rest of a row says since when.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/serialization/nvp.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/split_member.hpp>
#include <boost/serialization/version.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A class in all messages, one version behind those around it.
struct part {
    std::string name;
#if VERSION >= 2
    std::uint32_t count = 20;
#endif
#if VERSION >= 3
    double ratio = 0.3;
#endif
    template <class Archive>
    void serialize(Archive& ar, [[maybe_unused]] unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(name);
#if VERSION >= 2
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(count);
#endif
#if VERSION >= 3
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(ratio);
#endif
    }
};
BOOST_CLASS_VERSION(part, VERSION - 1)

/// Behind pointers.
struct shape {
    shape() = default;
    shape(const shape&) = delete;
    shape& operator=(const shape&) = delete;
    virtual ~shape() = default;
    virtual std::string show() const = 0;
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};
BOOST_SERIALIZATION_ASSUME_ABSTRACT(shape)

struct circle : shape {
    std::uint32_t radius = 1;
#if VERSION >= 2
    std::string colour = "grey";
#endif
    std::string show() const override
    {
        std::string text = "circle " + std::to_string(radius);
#if VERSION >= 2
        text += " " + colour;
#endif
        return text;
    }
    template <class Archive>
    void serialize(Archive& ar, [[maybe_unused]] unsigned version)
    {
        ar& boost::serialization::make_nvp("shape",
                                           boost::serialization::base_object<shape>(*this));
        ar& BOOST_SERIALIZATION_NVP(radius);
#if VERSION >= 2
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(colour);
#endif
    }
};
BOOST_CLASS_VERSION(circle, VERSION)
BOOST_CLASS_EXPORT_KEY2(circle, "test.circle")

#if VERSION >= 3
/// Unknown before.
struct square : shape {
    std::uint32_t side = 4;
    std::string show() const override { return "square " + std::to_string(side); }
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("shape",
                                           boost::serialization::base_object<shape>(*this));
        ar& BOOST_SERIALIZATION_NVP(side);
    }
};
BOOST_CLASS_EXPORT_KEY2(square, "test.square")
#endif

/// A command and its reply: `seen` is what the server's handler saw, for the client to print.
struct measured {
    std::string seen;
    part most{};
#if VERSION >= 2
    std::string note = "no note";
#endif
#if VERSION >= 3
    std::optional<std::uint32_t> rank;
#endif
    std::shared_ptr<shape> outline;
    template <class Archive>
    void serialize(Archive& ar, [[maybe_unused]] unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(seen) & BOOST_SERIALIZATION_NVP(most) &
            BOOST_SERIALIZATION_NVP(outline);
#if VERSION >= 2
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(note);
#endif
#if VERSION >= 3
        if (version >= 3)
            ar& BOOST_SERIALIZATION_NVP(rank);
#endif
    }
};
BOOST_CLASS_VERSION(measured, VERSION)

struct measure {
    using reply = measured;
    static constexpr std::string_view name = "test.measure";
    std::vector<part> parts;
#if VERSION >= 2
    std::string note = "no note";
#endif
#if VERSION >= 3
    std::optional<std::uint32_t> rank;
#endif
    std::shared_ptr<shape> outline;
    template <class Archive>
    void serialize(Archive& ar, [[maybe_unused]] unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(parts) & BOOST_SERIALIZATION_NVP(outline);
#if VERSION >= 2
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(note);
#endif
#if VERSION >= 3
        if (version >= 3)
            ar& BOOST_SERIALIZATION_NVP(rank);
#endif
    }
};
BOOST_CLASS_VERSION(measure, VERSION)

/// The same, from a handler that awaits, one that blocks, and one of the client.
struct measure_later : measure {
    static constexpr std::string_view name = "test.measure_later";
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("measure",
                                           boost::serialization::base_object<measure>(*this));
    }
};
struct measure_slowly : measure {
    static constexpr std::string_view name = "test.measure_slowly";
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("measure",
                                           boost::serialization::base_object<measure>(*this));
    }
};
/// Has the server measure what its client's handler of `measure` answers.
struct measure_at_client : measure {
    static constexpr std::string_view name = "test.measure_at_client";
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("measure",
                                           boost::serialization::base_object<measure>(*this));
    }
};

/// Streams both ways: each part that comes goes back.
struct turn_around {
    using reply = wharf::stream_of<part>;
    using upload = wharf::stream_of<part>;
    static constexpr std::string_view name = "test.turn_around";
    part first;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(first);
    }
};

/// Answers with what it saw of each part.
struct collect {
    using reply = std::vector<std::string>;
    using upload = wharf::stream_of<part>;
    static constexpr std::string_view name = "test.collect";
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// Ignores the version that it is stored at, which is a mistake.
struct stubborn {
    using reply = void;
    static constexpr std::string_view name = "test.stubborn";
    std::uint32_t value = 1;
    std::uint32_t more = 2;
    template <class Archive>
    void save(Archive& ar, unsigned /*version*/) const
    {
        ar& BOOST_SERIALIZATION_NVP(value);
        if (VERSION >= 2)
            ar& BOOST_SERIALIZATION_NVP(more);
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(value);
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(more);
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
BOOST_CLASS_VERSION(stubborn, VERSION)
/// The same of a reply.
struct stubborn_answer : stubborn {
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& boost::serialization::make_nvp("stubborn",
                                           boost::serialization::base_object<stubborn>(*this));
    }
};
struct ask_stubborn {
    using reply = stubborn_answer;
    static constexpr std::string_view name = "test.ask_stubborn";
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

inline std::string show(const part& p)
{
    std::string text = p.name;
#if VERSION >= 2
    text += " count=" + std::to_string(p.count);
#endif
#if VERSION >= 3
    text += " ratio=" + std::to_string(p.ratio).substr(0, 3);
#endif
    return text;
}

/// What is common to the command and its reply.
template <class T>
std::string show_rest(const T& t)
{
    std::string text;
#if VERSION >= 2
    text += "note=" + t.note;
#endif
#if VERSION >= 3
    text += " rank=" + (t.rank ? std::to_string(*t.rank) : "none");
#endif
    text += " outline=" + (t.outline ? t.outline->show() : "none");
    return text;
}

inline part full_part(std::string name)
{
    part p;
    p.name = std::move(name);
#if VERSION >= 2
    p.count = 7;
#endif
#if VERSION >= 3
    p.ratio = 0.9;
#endif
    return p;
}

/// Everything that this version has is filled.
template <class T>
void fill_rest(T& t)
{
#if VERSION >= 2
    t.note = "by hand";
#endif
#if VERSION >= 3
    t.rank = 5;
#endif
    auto outline = std::make_shared<circle>();
    outline->radius = 6;
#if VERSION >= 2
    outline->colour = "red";
#endif
    t.outline = std::move(outline);
}

template <class C>
C full_measure()
{
    C made;
    made.parts = {full_part("a"), full_part("b")};
    fill_rest(made);
    return made;
}

inline measured answer_measure(const measure& what)
{
    measured made;
    for (const part& each : what.parts)
        made.seen += "[" + show(each) + "]";
    made.seen += " " + show_rest(what);
    made.most = full_part("most");
    fill_rest(made);
    return made;
}
