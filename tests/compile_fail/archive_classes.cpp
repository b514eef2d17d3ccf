// Classes that the archives refuse, and uses of the archives that they refuse.
#include <wharf/archive.hpp>

#include <boost/serialization/binary_object.hpp>

struct good {
    int a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
    }
};
struct no_default {
    explicit no_default(int) {}
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
template <class Archive>
void load_construct_data(Archive&, no_default* object, unsigned)
{
    ::new (object) no_default(1);
}
struct immovable {
    explicit immovable(int) {}
    immovable(const immovable&) = delete;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct marked {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct image {
    int a;
};
BOOST_CLASS_IMPLEMENTATION(marked, boost::serialization::not_serializable)
BOOST_CLASS_IMPLEMENTATION(image, boost::serialization::primitive_type)

template <int>
class no_members_to_see {
public:
    int get() const { return a_; }

private:
    int a_ = 0;
};

struct with_reference {
    int& a;
};
struct with_bits {
    int a : 3;
    int b : 5;
};
struct with_base : good {
    int b = 0;
};
struct plain_base {
    int a = 0;
};
struct with_plain_base : plain_base {
    int b = 0;
};

template <class T>
void store(const T& value)
{
    (void)wharf::to_bytes(value);
}
template <class T>
void load(T& value)
{
    wharf::load_archive ar(std::span<const std::byte>{});
    ar >> value;
}

void compile(wharf::load_archive& in, wharf::store_archive& out)
{
    good value;
    load(value);
    store(value);
    no_default single(1);
    load(single);
    std::vector<no_default> several;
    load(several);
    in >> boost::serialization::make_nvp("value", value);
    in& boost::serialization::make_binary_object(&value, sizeof value);
    out << boost::serialization::make_nvp("value", value);
    in.register_type<good>();
}

#ifdef REFUSED
// Refused: wharf: this class has no serialize
void no_serialize()
{
    store(no_members_to_see<1>{});
}

// Refused: wharf: this class has no serialize
void load_no_serialize()
{
    no_members_to_see<2> value;
    load(value);
}

// Refused: wharf: this class has no serialize
void no_serialize_in_map()
{
    store(std::map<int, no_members_to_see<3>>());
}

// Refused: wharf: the members of this struct cannot be counted
void reference_member(const with_reference& value)
{
    store(value);
}

// Refused: wharf: a struct with a bit-field
void bit_fields()
{
    store(with_bits{});
}

// Refused: wharf: a struct with a base class
void base_of_plain_struct()
{
    store(with_plain_base{});
}

// Refused: wharf: this class is marked not_serializable
void not_serializable()
{
    store(marked{});
}

// Refused: wharf: a class of level primitive_type
void primitive_class()
{
    store(image{});
}

// Refused: wharf: a const value cannot be loaded into
void load_const()
{
    const int value = 0;
    load(value);
}

// Refused: wharf: a const value cannot be loaded into
void load_const_nvp(wharf::load_archive& in)
{
    const long value = 0;
    in >> boost::serialization::make_nvp("value", value);
}

// Refused: wharf: what has no default constructor must be movable
void immovable_elements()
{
    std::list<immovable> all;
    load(all);
}

// Refused: wharf: from_bytes needs a default
void from_bytes_without_default()
{
    (void)wharf::from_bytes<no_default>({});
}

// Refused: no match for 'operator<<'
void row_31_store_into_load(wharf::load_archive& in)
{
    in << 5;
}

// Refused: no match for 'operator>>'
void row_31_load_from_store(wharf::store_archive& out)
{
    int value = 0;
    out >> value;
}

// Refused: has no member named 'seek'
void row_36_seek(wharf::load_archive& in)
{
    in.seek(0);
}

// Refused: use of deleted function
void copy(wharf::load_archive& in)
{
    wharf::load_archive other(in);
}
#endif
