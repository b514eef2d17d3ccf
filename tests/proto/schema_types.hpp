// Types whose schemas tests know: one of each kind, and what cannot be described.
#pragma once

#include "archive_golden_types.hpp"
#include "archive_types.hpp"

#include <wharf/memory_image.hpp>
#include <wharf/schema.hpp>
#include <wharf/utf8.hpp>

#include <stdexcept>

namespace schema_types {

// Structs without serialize().

enum class color : std::uint8_t { red, green = 3, blue = 200 };
enum flags : std::uint16_t { none = 0, read = 1, write = 2, all = 0x8000 };
enum signs { minus = -2, zero = 0, plus = 1 };

struct address {
    std::string street;
    std::uint32_t number = 0;
};
struct user {
    std::uint64_t id = 0;
    std::string name;
    std::vector<address> addresses;
    std::map<std::string, double> scores;
    std::optional<std::int32_t> age;
    color favourite = color::red;
    bool is_admin = false;
};
struct folder {
    std::string name;
    std::vector<folder> folders;
};
struct leaf_or_pair;
using expression = std::variant<std::int64_t, std::unique_ptr<leaf_or_pair>>;
struct leaf_or_pair {
    expression left, right;
};
struct line {
    double from[2]{};
    std::array<float, 3> to{};
};

// With serialize().

struct point {
    std::int32_t x = 0, y = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(x) & BOOST_SERIALIZATION_NVP(y);
    }
};
struct point3 : point {
    point other; // a member of the type of the base
    std::int32_t z = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("base", boost::serialization::base_object<point>(*this));
        ar& BOOST_SERIALIZATION_NVP(other) & BOOST_SERIALIZATION_NVP(z);
    }
};
struct twice_named {
    std::int32_t a = 0, b = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("item", a) & boost::serialization::make_nvp("item", b);
    }
};
struct raw_bytes {
    unsigned char bytes[4] = {};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        if constexpr (Archive::is_saving::value)
            ar.save_binary(bytes, sizeof bytes);
        else
            ar.load_binary(bytes, sizeof bytes);
    }
};
struct pixel {
    std::uint8_t rgb[3]{};
    color kind{};
};

/// Only the two archives see the body of its serialize(), which is in another file.
class hidden {
public:
    template <class Archive>
    void serialize(Archive& ar, unsigned version);

private:
    std::int32_t a_ = 0;
    std::string b_;
};

/// Three versions: c came with 1, b went with 2.
struct evolved {
    std::int32_t a = 0;
    std::string b;
    double c = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(a);
        if (version < 2)
            ar& BOOST_SERIALIZATION_NVP(b);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(c);
    }
};
struct holds_evolved {
    std::vector<evolved> all;
};
/// Its save() stores the newest whatever it is told.
struct deaf {
    std::int32_t a = 0, b = 0;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar << a << b;
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        ar >> a;
        if (version >= 1)
            ar >> b;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
struct holds_deaf {
    std::map<std::string, deaf> all;
};

// What cannot be described.

struct throwing {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {
        throw std::runtime_error("not today");
    }
};
/// The same bytes in both branches.
struct branching {
    std::int32_t kind = 0, number = 0;
    float real = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& kind;
        if (kind == 0)
            ar& number;
        else
            ar& real;
    }
};
/// One branch has a member more.
struct growing {
    bool has_more = false;
    std::string more;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& has_more;
        if (has_more)
            ar& more;
    }
};
struct holds_branching {
    std::string name;
    std::vector<branching> shapes;
};
/// A container that writes its own count.
struct counting {
    std::vector<std::int32_t> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type n(all.size());
        ar& n;
        all.resize(n);
        for (std::int32_t& each : all)
            ar& each;
    }
};
/// What it loads is not what it saves.
struct disagreeing {
    std::int32_t a = 0;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar << a << std::int32_t{0};
    }
    template <class Archive>
    void load(Archive& ar, unsigned)
    {
        ar >> a;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
struct forgetting {
    std::int32_t a = 0;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar << std::int32_t{0};
    }
    template <class Archive>
    void load(Archive& ar, unsigned)
    {
        ar >> a;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
/// Its load takes some values only.
struct choosy {
    std::int32_t a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
        if (Archive::is_loading::value && a == 1)
            throw std::runtime_error("1 is taken");
    }
};
struct unmade {
    explicit unmade(int n) : a(n) {}
    std::int32_t a;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
    }
};

} // namespace schema_types

template <>
inline constexpr bool wharf::is_memory_image<schema_types::pixel> = true;
BOOST_CLASS_VERSION(schema_types::evolved, 2)
BOOST_CLASS_VERSION(schema_types::deaf, 1)
