// Types as they were and as they are, of each kind of change.
#pragma once

#include <wharf/aggregate.hpp>
#include <wharf/archive.hpp>
#include <wharf/utf8.hpp>

#include <boost/serialization/export.hpp>
#include <boost/serialization/level.hpp>
#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace schema_diff_types {

/// One member of the type that a case is about.
template <class T>
struct holder {
    T value{};
};

namespace was {
struct one {
    std::int32_t id = 0;
};
struct two {
    std::int32_t id = 0;
    std::string note;
};
struct names {
    std::string first, last;
};
enum class colour : std::uint8_t { red, green };
enum loose { low, high };
struct empty_class {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
} // namespace was

namespace is {
struct two {
    std::int32_t id = 0;
    std::string note;
};
struct one {
    std::int32_t id = 0;
};
struct renamed {
    std::int32_t id = 0;
    std::string remark;
};
struct turned {
    std::string note;
    std::int32_t id = 0;
};
struct names {
    std::string last, first;
};
enum class colour : std::uint8_t { red, green, blue };
enum class fewer : std::uint8_t { red };
enum class other_numbers : std::uint8_t { green, red };
enum class other_names : std::uint8_t { red, lime };
enum loose { low, high, highest };
/// {id} with a note since version 1.
struct added {
    std::int32_t id = 0;
    std::string note = "none";
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(note);
    }
};
/// {id, note} without the note since version 1.
struct removed {
    std::int32_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
        std::string note;
        if (version < 1)
            ar& BOOST_SERIALIZATION_NVP(note);
    }
};
/// {id} that is wider since version 1.
struct widened {
    std::int64_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        if (version >= 1) {
            ar& BOOST_SERIALIZATION_NVP(id);
            return;
        }
        auto narrow = static_cast<std::int32_t>(id);
        ar& boost::serialization::make_nvp("id", narrow);
        if constexpr (Archive::is_loading::value)
            id = narrow;
    }
};
/// {id, note} by other names since version 1.
struct named_anew {
    std::int32_t id = 0;
    std::string note;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
        ar& boost::serialization::make_nvp(version >= 1 ? "remark" : "note", note);
    }
};
/// {id} with a version, and nothing else.
struct raised {
    std::int32_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
    }
};
/// {id} whose store ignores the version that it is given.
struct deaf {
    std::int32_t id = 0;
    std::string note;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(note);
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(note);
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
/// Its older versions had no member at all.
struct filled {
    std::int32_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(id);
    }
};
/// As was::one, of a level that has no version.
struct unversioned {
    std::int32_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
    }
};
} // namespace is

/// At version 2 twice; the later one has forgotten what version 0 looked like.
namespace was {
struct long_lived {
    std::int32_t a = 0, b = 0, c = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(a);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(b);
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(c);
    }
};
} // namespace was
namespace is {
struct long_lived {
    std::int32_t a = 0, b = 0, c = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(c);
    }
};
} // namespace is

/// Behind a pointer to a base.
struct shape {
    virtual ~shape() = default;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct circle : shape {
    double radius = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("shape",
                                           boost::serialization::base_object<shape>(*this));
        ar& BOOST_SERIALIZATION_NVP(radius);
    }
};
struct square : shape {
    std::int64_t side = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("shape",
                                           boost::serialization::base_object<shape>(*this));
        ar& BOOST_SERIALIZATION_NVP(side);
    }
};

} // namespace schema_diff_types

BOOST_CLASS_VERSION(schema_diff_types::is::added, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::removed, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::widened, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::named_anew, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::raised, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::deaf, 1)
BOOST_CLASS_VERSION(schema_diff_types::is::filled, 1)
BOOST_CLASS_VERSION(schema_diff_types::was::long_lived, 2)
BOOST_CLASS_VERSION(schema_diff_types::is::long_lived, 2)
BOOST_CLASS_IMPLEMENTATION(schema_diff_types::is::unversioned,
                           boost::serialization::object_serializable)
