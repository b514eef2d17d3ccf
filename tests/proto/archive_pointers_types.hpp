// Classes that stand behind pointers, for the tests: shared graphs, hierarchies, odd constructors.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/raw_pointers.hpp>

#include <boost/serialization/assume_abstract.hpp>
#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>

namespace pointer_types {

/// Counts what lives, so that a leak is seen without a sanitizer.
struct counted {
    static inline int alive = 0;
    counted() { ++alive; }
    counted(const counted&) { ++alive; }
    ~counted() { --alive; }
    counted& operator=(const counted&) = default;
};

struct node : counted {
    std::uint32_t id = 0;
    std::shared_ptr<node> left, right;
    std::weak_ptr<node> parent;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& left& right& parent;
    }
};

struct shape : counted {
    std::int32_t colour = 0;
    virtual ~shape() = default;
    virtual double area() const { return 0; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(colour);
    }
};
struct circle : shape {
    double radius = 0;
    double area() const override { return 3 * radius * radius; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_BASE_OBJECT_NVP(shape) & BOOST_SERIALIZATION_NVP(radius);
    }
};
struct label : shape {
    std::string text;
    std::shared_ptr<shape> around;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_BASE_OBJECT_NVP(shape) & BOOST_SERIALIZATION_NVP(text);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(around);
    }
};
/// Has no export key.
struct square : shape {
    std::int32_t side = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<shape>(*this) & side;
    }
};

/// Two classes that were given one key by mistake.
struct twin : shape {};
struct other_twin : shape {};

struct animal : counted {
    virtual ~animal() = default;
    virtual std::string sound() const = 0;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct dog : animal {
    std::int32_t volume = 0;
    std::string sound() const override
    {
        return std::string(static_cast<std::size_t>(volume), 'w');
    }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<animal>(*this) & volume;
    }
};

/// A diamond: one vehicle in each amphibian, by virtual inheritance.
struct vehicle {
    std::int32_t weight = 0;
    virtual ~vehicle() = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& weight;
    }
};
struct car : virtual vehicle {
    std::int32_t wheels = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<vehicle>(*this) & wheels;
    }
};
struct boat : virtual vehicle {
    std::int32_t masts = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<vehicle>(*this) & masts;
    }
};
struct amphibian : car, boat {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<car>(*this) &
            boost::serialization::base_object<boat>(*this);
    }
};

/// No default constructor: its number is construct data.
class numbered {
public:
    explicit numbered(std::int32_t number) : number_(number) {}
    std::int32_t number() const { return number_; }
    std::string note;
    auto operator<=>(const numbered&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& note;
    }

private:
    std::int32_t number_;
};
template <class Archive>
void save_construct_data(Archive& ar, const numbered* object, unsigned)
{
    ar << object->number();
}
template <class Archive>
void load_construct_data(Archive& ar, numbered* object, unsigned)
{
    std::int32_t number = 0;
    ar >> number;
    ::new (object) numbered(number);
}

/// Only Boost's access class may make one.
class secret {
public:
    static std::shared_ptr<secret> make(int value);
    int value() const { return value_; }

private:
    friend class boost::serialization::access;
    secret() = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value_;
    }
    std::int32_t value_ = 0;
};
inline std::shared_ptr<secret> secret::make(int value)
{
    std::shared_ptr<secret> made(new secret);
    made->value_ = value;
    return made;
}

/// Memory of its own, which must come back.
struct pooled {
    static inline int blocks = 0;
    static void* operator new(std::size_t n)
    {
        ++blocks;
        return ::operator new(n);
    }
    static void operator delete(void* memory)
    {
        --blocks;
        ::operator delete(memory);
    }
    std::int32_t x = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x;
    }
};

/// Raw owning pointers: one owner each.
struct tree : counted {
    std::int32_t key = 0;
    tree* left = nullptr;
    tree* right = nullptr;
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    ~tree()
    {
        delete left;
        delete right;
    }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& key& left& right;
    }
};

/// Raw pointers that own nothing: a ring.
struct ring : counted {
    std::int32_t key = 0;
    ring* next = nullptr;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& key& next;
    }
};

struct untracked {
    std::int32_t x = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x;
    }
};
struct tracked {
    std::int32_t x = 0;
    bool operator==(const tracked&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x;
    }
};

} // namespace pointer_types

template <>
inline constexpr auto wharf::raw_pointers_of<pointer_types::tree> = wharf::raw_pointers::unique;
template <>
inline constexpr auto wharf::raw_pointers_of<pointer_types::ring> = wharf::raw_pointers::aliased;

BOOST_CLASS_EXPORT_KEY2(pointer_types::circle, "circle")
BOOST_CLASS_EXPORT_KEY2(pointer_types::label, "label")
BOOST_CLASS_EXPORT_KEY2(pointer_types::twin, "twin")
BOOST_CLASS_EXPORT_KEY2(pointer_types::other_twin, "twin")
BOOST_CLASS_EXPORT_KEY2(pointer_types::dog, "dog")
BOOST_CLASS_EXPORT_KEY2(pointer_types::amphibian, "amphibian")
BOOST_CLASS_VERSION(pointer_types::label, 1)
BOOST_CLASS_TRACKING(pointer_types::untracked, boost::serialization::track_never)
BOOST_CLASS_TRACKING(pointer_types::tracked, boost::serialization::track_always)
BOOST_SERIALIZATION_ASSUME_ABSTRACT(pointer_types::animal)
