// Any bytes as classes: versions and their table, bases, split members, raw bytes, plain structs.
#include "archive_fuzz.hpp"

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/binary_object.hpp>
#include <boost/serialization/split_member.hpp>

namespace classes {

struct nothing {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct versioned {
    std::uint8_t a = 0, b = 0;
    std::vector<nothing> nothings;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        b = 0;
        nothings.clear();
        ar& a;
        if (version >= 1)
            ar& nothings;
        if (version >= 2)
            ar& b;
    }
};

struct base {
    std::int16_t a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& a;
        if (version >= 5)
            ar& a;
    }
};

struct derived : base, versioned {
    std::string c;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_BASE_OBJECT_NVP(base);
        ar& boost::serialization::base_object<versioned>(*this);
        ar& BOOST_SERIALIZATION_NVP(c);
    }
};

struct split {
    std::uint32_t a = 0;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        const std::uint32_t more = a + 1;
        ar << more;
    }
    template <class Archive>
    void load(Archive& ar, unsigned)
    {
        std::uint32_t more = 0;
        ar >> more;
        a = more - 1;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};

struct raw {
    unsigned char image[5] = {};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp(
            "image", boost::serialization::make_binary_object(image, sizeof image));
    }
};

/// Refuses some values itself, with exceptions that are not the archive's.
struct picky {
    std::uint8_t a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
        if (a == 200)
            throw std::runtime_error("200 is not a value");
        if (a == 201)
            throw 201;
        if (a == 202)
            std::vector<int>().at(1);
    }
};

struct all {
    std::vector<derived> deriveds;
    split one{};
    raw image{};
    std::map<std::uint8_t, versioned> map;
    std::vector<picky> pickies;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& deriveds& one& image& map& pickies;
    }
};

/// Structs that have no serialize().
struct plain_part {
    std::uint8_t a;
    std::string b;
};
struct plain {
    std::int32_t number;
    std::vector<plain_part> parts;
    std::map<std::string, plain_part> named;
    std::optional<versioned> maybe;
    std::uint16_t two[2];
};
struct plain_empty {};

} // namespace classes

BOOST_CLASS_VERSION(classes::versioned, 2)
BOOST_CLASS_VERSION(classes::base, 5)

namespace {

using namespace archive_fuzz;
constexpr trial trials[] = {
    try_as<classes::versioned, form::settled>,
    try_as<std::vector<std::vector<classes::versioned>>, form::settled>,
    try_as<classes::derived, form::settled>,
    try_as<classes::all, form::settled>,
    try_as<classes::plain, form::settled>,
    try_as<std::vector<classes::plain_empty>, form::exact>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
