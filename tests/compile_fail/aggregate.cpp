// Structs without serialize() that must not compile in an archive.
#include <wharf/archive.hpp>

#include <boost/array.hpp>
#include <boost/preprocessor/repetition/enum_params.hpp>

#include <charconv>

struct point {
    int x = 0;
    int y = 0;
};
struct no_default {
    explicit no_default(int) {}
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
class with_private_member {
public:
    int a = 0;

private:
    [[maybe_unused]] int b_ = 0;
};
struct with_constructor {
    with_constructor() {}
    int a = 0;
};
struct tag {};
struct with_base : point {
    int z = 0;
};
struct with_empty_base : tag {
    int z = 0;
};
struct with_base_and_no_default : point {
    no_default z;
};
struct with_reference {
    int& a;
};
int somewhere = 0;
struct with_default_reference {
    int& a = somewhere;
};
struct with_const_reference {
    const int& a;
};
struct with_bit_field {
    unsigned a : 3;
};
struct with_64 {
    int BOOST_PP_ENUM_PARAMS(64, m);
};
struct with_65 {
    int BOOST_PP_ENUM_PARAMS(65, m);
};
union either {
    int a;
    float b;
};
struct with_union {
    either a;
};
struct with_anonymous_union {
    int a;
    union {
        int b;
        float c;
    };
};
struct with_pointer {
    int* a = nullptr;
};
struct with_const_member {
    const int a = 0;
};
struct marked {
    int a = 0;
};
BOOST_CLASS_IMPLEMENTATION(marked, boost::serialization::not_serializable)

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

void compiles()
{
    point value;
    load(value);
    store(value);
    store(with_64{});
    store(with_const_member{});
    store(std::map<int, point>());
}

#ifdef REFUSED
// Refused: wharf: this class has no serialize\(\) and is no plain struct
void private_member()
{
    store(with_private_member{});
}

// Refused: wharf: this class has no serialize\(\) and is no plain struct
void constructor_in_map()
{
    store(std::map<int, with_constructor>());
}

// Refused: wharf: a struct with a base class needs
void base_class()
{
    store(with_base{});
}

// Refused: wharf: a struct with a base class needs
void empty_base()
{
    store(with_empty_base{});
}

// Refused: wharf: a struct with a base class needs
void base_class_and_no_default()
{
    store(with_base_and_no_default{{}, no_default(1)});
}

// Refused: wharf: the members of this struct cannot be counted
void reference()
{
    int a = 0;
    store(with_reference{a});
}

// Refused: wharf: the members of this struct cannot be counted
void default_reference()
{
    store(with_default_reference{});
}

// Refused: wharf: a struct with a reference needs
void const_reference()
{
    int a = 0;
    store(with_const_reference{a});
}

// Refused: wharf: a struct with a bit-field needs
void bit_field()
{
    store(with_bit_field{});
}

// Refused: wharf: a struct of more than 64 members needs
void members_65()
{
    store(with_65{});
}

// Refused: wharf: a union cannot travel
void union_member()
{
    store(with_union{});
}

// Refused: cannot decompose class type .* because it has an anonymous union
void anonymous_union()
{
    store(with_anonymous_union{});
}

// Refused: wharf: a raw pointer cannot travel
void pointer_member()
{
    store(with_pointer{});
}

// Refused: wharf: a const value cannot be loaded into
void load_const_member()
{
    with_const_member value;
    load(value);
}

// Refused: wharf: this class is marked not_serializable
void not_serializable()
{
    store(marked{});
}

// Refused: wharf: this type of a library has no serialize
void type_of_std()
{
    store(std::from_chars_result{});
}

// Refused: wharf: this type of a library has no serialize
void type_of_boost()
{
    store(boost::array<int, 3>{});
}
#endif
