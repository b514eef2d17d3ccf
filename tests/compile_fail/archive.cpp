// Code over the archives that must not compile: one CASE at a time; without one, it must.
#include <wharf/archive.hpp>

#include <boost/serialization/binary_object.hpp>

struct plain_aggregate {
    int a = 0;
};
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
struct marked {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct image {
    int a;
};
struct tracked : good {};
union either {
    int a;
    float b;
};
enum far_apart { near_by, far_away = 100000 };

BOOST_CLASS_IMPLEMENTATION(marked, boost::serialization::not_serializable)
BOOST_CLASS_IMPLEMENTATION(image, boost::serialization::primitive_type)
BOOST_CLASS_TRACKING(tracked, boost::serialization::track_always)

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

void test_case(wharf::load_archive& in, wharf::store_archive& out)
{
    (void)in, (void)out;
#if defined(CASE_store_raw_pointer)
    store(static_cast<int*>(nullptr));
#elif defined(CASE_load_raw_pointer)
    int* p = nullptr;
    load(p);
#elif defined(CASE_char_pointer)
    store(static_cast<const char*>("text"));
#elif defined(CASE_shared_ptr)
    store(std::shared_ptr<good>());
#elif defined(CASE_weak_ptr)
    store(std::weak_ptr<good>());
#elif defined(CASE_unique_ptr)
    store(std::unique_ptr<good>());
#elif defined(CASE_pointer_in_container)
    std::vector<std::shared_ptr<good>> all;
    load(all);
#elif defined(CASE_pointer_to_member)
    store(&good::a);
#elif defined(CASE_null_pointer)
    store(nullptr);
#elif defined(CASE_string_view)
    store(std::string_view());
#elif defined(CASE_aggregate)
    store(plain_aggregate{});
#elif defined(CASE_load_aggregate)
    plain_aggregate value;
    load(value);
#elif defined(CASE_aggregate_in_map)
    store(std::map<int, plain_aggregate>());
#elif defined(CASE_union)
    store(either{});
#elif defined(CASE_not_serializable)
    store(marked{});
#elif defined(CASE_primitive_class)
    store(image{});
#elif defined(CASE_track_always)
    store(tracked{});
#elif defined(CASE_unfixed_enum)
    store(near_by);
#elif defined(CASE_load_const)
    const int value = 0;
    load(value);
#elif defined(CASE_load_const_nvp)
    const int value = 0;
    in >> boost::serialization::make_nvp("value", value);
#elif defined(CASE_elements_without_default)
    std::vector<no_default> all;
    load(all);
#elif defined(CASE_optional_without_default)
    std::optional<no_default> maybe;
    load(maybe);
#elif defined(CASE_from_bytes_without_default)
    (void)wharf::from_bytes<no_default>({});
#elif defined(CASE_register_type)
    out.register_type<good>();
#elif defined(CASE_row_31_store_into_load)
    in << 5;
#elif defined(CASE_row_31_load_from_store)
    int value = 0;
    out >> value;
#elif defined(CASE_row_36_seek)
    in.seek(0);
#elif defined(CASE_copy)
    wharf::load_archive other(in);
#else
    // What is next to the cases does compile.
    good value;
    load(value);
    store(value);
    no_default single(1);
    load(single);
    in >> boost::serialization::make_nvp("value", value);
    in& boost::serialization::make_binary_object(&value, sizeof value);
    out << boost::serialization::make_nvp("value", value);
#endif
}
