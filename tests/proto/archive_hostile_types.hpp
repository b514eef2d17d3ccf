// Classes behind pointers that hostile messages try to confuse. All of them are counted, so that a
// test, with or without LeakSanitizer, sees what was left behind or ended twice.
#pragma once

#include <wharf/archive.hpp>

#include <boost/scoped_ptr.hpp>
#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/shared_ptr.hpp>
#include <boost/weak_ptr.hpp>

namespace hostile {

struct counted {
    static inline long alive = 0;
    counted() { ++alive; }
    counted(const counted&) { ++alive; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
};

// Two classes without virtual functions, the second with a pointer to steal.
struct number : counted {
    std::uint64_t value = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
};
struct text : counted {
    std::string value;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
};

struct node : counted {
    std::uint8_t value = 0;
    std::shared_ptr<node> next;
    std::weak_ptr<node> back;
    bool is_whole = false; ///< its last visit came to its end
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        is_whole = false;
        ar& value& next& back;
        is_whole = true;
    }
};

/// Recursion through each thing that can carry it.
struct deep : counted {
    std::unique_ptr<deep> unique;
    std::vector<deep> vector;
    std::map<std::uint8_t, deep> map;
    std::list<std::optional<std::shared_ptr<deep>>> list;
    std::variant<std::monostate, boost::shared_ptr<deep>, std::vector<deep>> choice;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& unique& vector& map& list& choice;
    }
};

// Polymorphic classes with keys: two that share an abstract base, virtually, and a stranger.
struct shape : counted {
    std::uint8_t name = 0;
    virtual ~shape() = default;
    virtual int area() const = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& name;
    }
};
struct circle : virtual shape {
    std::uint8_t radius = 0;
    int area() const override { return 3 * radius * radius; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<shape>(*this) & radius;
    }
};
struct group : virtual shape {
    std::vector<std::shared_ptr<shape>> parts;
    std::weak_ptr<shape> favourite;
    int area() const override { return static_cast<int>(parts.size()); }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<shape>(*this) & parts& favourite;
    }
};
struct stranger : counted {
    std::string memory;
    virtual ~stranger() = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& memory;
    }
};

// Polymorphic classes without keys.
struct animal : counted {
    std::uint8_t legs = 4;
    virtual ~animal() = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& legs;
    }
};
struct dog : animal {
    std::uint8_t tricks = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<animal>(*this) & tricks;
    }
};
/// Registers the class that has no key.
struct kennel {
    std::vector<std::unique_ptr<animal>> animals;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar.template register_type<dog>();
        ar& animals;
    }
};

/// Is built from pointers, of which bytes may say that one is to itself.
struct built : counted {
    std::shared_ptr<number> part;
    std::weak_ptr<built> friend_of;
    explicit built(std::shared_ptr<number> p, std::weak_ptr<built> f = {})
        : part(std::move(p)), friend_of(std::move(f))
    {}
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
template <class Archive>
void save_construct_data(Archive& ar, const built* object, unsigned)
{
    ar << object->part << object->friend_of;
}
template <class Archive>
void load_construct_data(Archive& ar, built* object, unsigned)
{
    std::shared_ptr<number> part;
    std::weak_ptr<built> friend_of;
    ar >> part >> friend_of;
    ::new (object) built(std::move(part), std::move(friend_of));
}

/// A value that has an identity: the second time it must be the same object.
struct tracked : counted {
    std::uint8_t value = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
};
struct other_tracked : tracked {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
};
struct visits {
    tracked one, two;
    other_tracked other;
    std::uint8_t which = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& which& one;
        if (which == 0)
            ar& one;
        else if (which == 1)
            ar& two;
        else if (which == 2)
            ar& other;
    }
};

/// Is never referred to.
struct untracked : counted {
    std::uint8_t value = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
};

// Raw pointers by the two policies.
struct owned : counted {
    std::uint8_t value = 0;
    owned* next = nullptr;
    owned() = default;
    owned(const owned&) = delete;
    owned& operator=(const owned&) = delete;
    ~owned() { delete next; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value& next;
    }
};
struct two_owned {
    owned* one = nullptr;
    owned* two = nullptr;
    two_owned() = default;
    two_owned(const two_owned&) = delete;
    two_owned& operator=(const two_owned&) = delete;
    ~two_owned()
    {
        delete one;
        delete two;
    }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& one& two;
    }
};
struct vertex : counted {
    std::uint8_t value = 0;
    vertex* left = nullptr;
    vertex* right = nullptr;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value& left& right;
    }
};
/// Owns all vertices: those that are listed.
struct graph {
    std::vector<vertex*> all;
    graph() = default;
    graph(const graph&) = delete;
    graph& operator=(const graph&) = delete;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all;
    }
};

} // namespace hostile

template <>
inline constexpr auto wharf::raw_pointers_of<hostile::owned> = wharf::raw_pointers::unique;
template <>
inline constexpr auto wharf::raw_pointers_of<hostile::vertex> = wharf::raw_pointers::aliased;

BOOST_CLASS_TRACKING(hostile::tracked, boost::serialization::track_always)
BOOST_CLASS_TRACKING(hostile::other_tracked, boost::serialization::track_always)
BOOST_CLASS_TRACKING(hostile::untracked, boost::serialization::track_never)
BOOST_SERIALIZATION_ASSUME_ABSTRACT(hostile::shape)
BOOST_CLASS_EXPORT_KEY2(hostile::circle, "circle")
BOOST_CLASS_EXPORT_KEY2(hostile::group, "group")
BOOST_CLASS_EXPORT_KEY2(hostile::stranger, "stranger")
