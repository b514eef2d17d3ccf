// Types of every kind that archive tests store and load: as users write them for Boost.
#pragma once

#include <wharf/archive.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/binary_object.hpp>
#include <boost/serialization/split_free.hpp>
#include <boost/serialization/split_member.hpp>

namespace archive_types {

struct member {
    int a = 0;
    std::string b;
    bool operator==(const member&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
    }
};

struct free_function {
    int a = 0;
    bool operator==(const free_function&) const = default;
};
template <class Archive>
void serialize(Archive& ar, free_function& t, const unsigned)
{
    ar& t.a;
}

struct in_boost {
    int a = 0;
    bool operator==(const in_boost&) const = default;
};

struct split {
    int a = 0;
    bool operator==(const split&) const = default;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        const int more = a + 1;
        ar << BOOST_SERIALIZATION_NVP(more);
    }
    template <class Archive>
    void load(Archive& ar, unsigned)
    {
        int more = 0;
        ar >> BOOST_SERIALIZATION_NVP(more);
        a = more - 1;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};

struct split_outside {
    int a = 0;
    bool operator==(const split_outside&) const = default;
};
template <class Archive>
void save(Archive& ar, const split_outside& t, unsigned)
{
    ar << t.a;
}
template <class Archive>
void load(Archive& ar, split_outside& t, unsigned)
{
    ar >> t.a;
}

class secret {
public:
    secret() = default;
    explicit secret(int a) : a_(a) {}
    bool operator==(const secret&) const = default;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a_;
    }
    int a_ = 0;
};

struct derived : member {
    double c = 0;
    bool operator==(const derived&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_BASE_OBJECT_NVP(member);
        ar& BOOST_SERIALIZATION_NVP(c);
    }
};

struct arrays {
    int numbers[3] = {1, 2, 3};
    char text[4] = "abc";
    unsigned char raw[5] = {1, 2, 3, 4, 5};
    bool operator==(const arrays&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& numbers& text;
        ar& boost::serialization::make_nvp(
            "raw", boost::serialization::make_binary_object(raw, sizeof raw));
        ar& boost::serialization::make_array(raw, 2);
    }
};

struct empty {
    bool operator==(const empty&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct tree {
    int value = 0;
    std::vector<tree> children;
    bool operator==(const tree&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value& children;
    }
};

/// A tree that is one branch, `n` classes deep.
inline tree make_branch(int n)
{
    tree root;
    for (tree* at = &root; --n > 0; at = &at->children.back())
        at->children.emplace_back();
    return root;
}

enum plain { red, green, blue };           // 0 to 3
enum with_negative { low = -3, high = 4 }; // -8 to 7
enum fixed : std::uint8_t { f = 200 };
enum class wide : std::uint64_t { big = std::uint64_t{1} << 40 };
enum class truth : bool { no, yes };

} // namespace archive_types

namespace boost::serialization {
template <class Archive>
void serialize(Archive& ar, archive_types::in_boost& t, const unsigned int)
{
    ar& t.a;
}
} // namespace boost::serialization

BOOST_SERIALIZATION_SPLIT_FREE(archive_types::split_outside)
