// Classes that the golden rows are about: behind pointers, tracked, versioned, without constructor.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/raw_pointers.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/smart_ptr/scoped_ptr.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>
#include <boost/smart_ptr/weak_ptr.hpp>

namespace archive_golden {

/// A class whose serialize() visits these members, or bases by BASE.
#define GOLDEN_MEMBERS(...)                                                                        \
    template <class Archive>                                                                       \
    void serialize(Archive& ar, unsigned)                                                          \
    {                                                                                              \
        visit(ar, __VA_ARGS__);                                                                    \
    }
#define GOLDEN_BASE(Base) boost::serialization::base_object<Base>(*this)

template <class Archive, class... Members>
void visit(Archive& ar, Members&&... members)
{
    (void)(ar & ... & members);
}

/// Takes no byte.
struct nothing {
    bool operator==(const nothing&) const = default;
    bool operator<(const nothing&) const { return false; }
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

// Polymorphic, with keys.

struct shape {
    std::int32_t id = 0;
    virtual ~shape() = default;
    GOLDEN_MEMBERS(id)
};
struct circle : shape {
    double radius = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(shape), radius)
};
struct square : shape {
    std::uint8_t side = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(shape), side)
};
struct late : shape { // without a key
    std::uint8_t hour = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(shape), hour)
};
struct keyless {
    std::uint8_t a = 0;
    virtual ~keyless() = default;
    GOLDEN_MEMBERS(a)
};
struct solid {
    std::int32_t id = 0;
    virtual ~solid() = default;
    virtual int volume() const = 0;
    GOLDEN_MEMBERS(id)
};
struct ball : solid {
    std::uint16_t radius = 0;
    int volume() const override { return 4 * radius; }
    GOLDEN_MEMBERS(GOLDEN_BASE(solid), radius)
};
struct top {
    std::uint8_t t = 0;
    virtual ~top() = default;
    GOLDEN_MEMBERS(t)
};
struct left : virtual top {
    std::uint8_t l = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(top), l)
};
struct right : virtual top {
    std::uint8_t r = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(top), r)
};
struct bottom : left, right {
    std::uint8_t b = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(left), GOLDEN_BASE(right), b)
};

struct late_holder {
    std::vector<std::shared_ptr<shape>> them;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar.template register_type<late>();
        ar& them;
    }
};
struct square_holder {
    std::vector<std::shared_ptr<shape>> them;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar.template register_type<square>();
        ar& them;
    }
};

// Not polymorphic.

struct node {
    std::int32_t v = 0;
    std::weak_ptr<node> self;
    GOLDEN_MEMBERS(v, self)
};
struct chain_link {
    std::uint8_t v = 0;
    std::shared_ptr<chain_link> next;
    GOLDEN_MEMBERS(v, next)
};
struct ring {
    std::int32_t v = 0;
    ring* next = nullptr;
    GOLDEN_MEMBERS(v, next)
};
struct once {
    std::uint8_t v = 0;
    GOLDEN_MEMBERS(v)
};
struct record {
    std::int32_t a = 0;
    std::string b;
    GOLDEN_MEMBERS(a, b)
};

struct scoped_holder {
    scoped_holder() = default;
    boost::scoped_ptr<std::uint8_t> p;
    GOLDEN_MEMBERS(p)
};
struct raw_owner {
    raw_owner() = default;
    raw_owner(const raw_owner&) = delete;
    raw_owner& operator=(const raw_owner&) = delete;
    ~raw_owner() { delete p; }
    record* p = nullptr;
    GOLDEN_MEMBERS(p)
};
struct untracked_holder {
    std::unique_ptr<once> a, b;
    std::shared_ptr<std::uint8_t> c, d;
    GOLDEN_MEMBERS(a, b, c, d)
};
struct rings {
    std::vector<ring*> all;
    GOLDEN_MEMBERS(all)
};

/// Members in order.
template <class... Members>
struct parts {
    std::tuple<Members...> all{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all;
    }
};

// Without a default constructor.

struct town {
    explicit town(std::string n) : name(std::move(n)) {}
    town(std::string n, std::int32_t p) : name(std::move(n)), people(p) {}
    bool operator==(const town&) const = default;
    GOLDEN_MEMBERS(people)
    std::string name;
    std::int32_t people = 0;
};
template <class Archive>
void save_construct_data(Archive& ar, const town* t, unsigned)
{
    ar << t->name;
}
template <class Archive>
void load_construct_data(Archive& ar, town* t, unsigned)
{
    std::string name;
    ar >> name;
    ::new (t) town(std::move(name));
}

struct person {
    explicit person(std::shared_ptr<std::string> n, std::uint8_t a = 0) : name(std::move(n)), age(a)
    {}
    GOLDEN_MEMBERS(age)
    std::shared_ptr<std::string> name;
    std::uint8_t age = 0;
};
template <class Archive>
void save_construct_data(Archive& ar, const person* p, unsigned)
{
    ar << p->name;
}
template <class Archive>
void load_construct_data(Archive& ar, person* p, unsigned)
{
    std::shared_ptr<std::string> name;
    ar >> name;
    ::new (p) person(std::move(name));
}

// Tracked.

struct counter {
    std::uint8_t n = 0;
    bool operator==(const counter&) const = default;
    GOLDEN_MEMBERS(n)
};
struct twice {
    counter a, b;
    GOLDEN_MEMBERS(a, a, b)
};
struct tracked_top {
    std::uint8_t t = 0;
    virtual ~tracked_top() = default;
    GOLDEN_MEMBERS(t)
};
struct tracked_left : virtual tracked_top {
    std::uint8_t l = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(tracked_top), l)
};
struct tracked_right : virtual tracked_top {
    std::uint8_t r = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(tracked_top), r)
};
struct tracked_bottom : tracked_left, tracked_right {
    std::uint8_t b = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(tracked_left), GOLDEN_BASE(tracked_right), b)
};

// Versioned.

struct versioned {
    std::int32_t a = 0, b = 7;
    bool operator==(const versioned&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& a;
        if (version >= 2)
            ar& b;
    }
};
struct inner {
    std::int32_t v = 0;
    bool operator==(const inner&) const = default;
    GOLDEN_MEMBERS(v)
};
struct outer {
    inner i;
    bool operator==(const outer&) const = default;
    GOLDEN_MEMBERS(i)
};
struct vshape {
    std::int32_t id = 0;
    virtual ~vshape() = default;
    GOLDEN_MEMBERS(id)
};
struct vcircle : vshape {
    std::uint8_t radius = 0;
    GOLDEN_MEMBERS(GOLDEN_BASE(vshape), radius)
};
struct label {
    std::string text;
    bool operator==(const label&) const = default;
    GOLDEN_MEMBERS(text)
};
struct plain_label {
    std::string text;
    bool operator==(const plain_label&) const = default;
    GOLDEN_MEMBERS(text)
};
struct vtown {
    explicit vtown(label n, std::uint8_t p = 0) : name(std::move(n)), people(p) {}
    bool operator==(const vtown&) const = default;
    GOLDEN_MEMBERS(people)
    label name;
    std::uint8_t people;
};
template <class Archive>
void save_construct_data(Archive& ar, const vtown* t, unsigned)
{
    ar << t->name;
}
template <class Archive>
void load_construct_data(Archive& ar, vtown* t, unsigned)
{
    label name;
    ar >> name;
    ::new (t) vtown(std::move(name));
}
struct vbase {
    std::uint8_t a = 0;
    bool operator==(const vbase&) const = default;
    GOLDEN_MEMBERS(a)
};
struct vderived : vbase {
    std::uint8_t b = 0;
    bool operator==(const vderived&) const = default;
    GOLDEN_MEMBERS(GOLDEN_BASE(vbase), b)
};

} // namespace archive_golden

template <>
inline constexpr auto wharf::raw_pointers_of<archive_golden::record> = wharf::raw_pointers::unique;
template <>
inline constexpr auto wharf::raw_pointers_of<archive_golden::ring> = wharf::raw_pointers::aliased;

BOOST_CLASS_TRACKING(archive_golden::once, boost::serialization::track_never)
BOOST_CLASS_TRACKING(archive_golden::counter, boost::serialization::track_always)
BOOST_CLASS_TRACKING(archive_golden::tracked_top, boost::serialization::track_always)
BOOST_CLASS_IMPLEMENTATION(archive_golden::plain_label, boost::serialization::object_serializable)
BOOST_CLASS_VERSION(archive_golden::versioned, 2)
BOOST_CLASS_VERSION(archive_golden::inner, 3)
BOOST_CLASS_VERSION(archive_golden::vshape, 3)
BOOST_CLASS_VERSION(archive_golden::vcircle, 2)
BOOST_CLASS_VERSION(archive_golden::label, 2)
BOOST_CLASS_VERSION(archive_golden::vtown, 1)
BOOST_CLASS_VERSION(archive_golden::vbase, 4)
BOOST_CLASS_VERSION(archive_golden::vderived, 1)

BOOST_CLASS_EXPORT_KEY2(archive_golden::circle, "circle")
BOOST_CLASS_EXPORT_KEY2(archive_golden::square, "square")
BOOST_CLASS_EXPORT_KEY2(archive_golden::ball, "ball")
BOOST_CLASS_EXPORT_KEY2(archive_golden::left, "left")
BOOST_CLASS_EXPORT_KEY2(archive_golden::right, "right")
BOOST_CLASS_EXPORT_KEY2(archive_golden::bottom, "bottom")
BOOST_CLASS_EXPORT_KEY2(archive_golden::vcircle, "vcircle")
