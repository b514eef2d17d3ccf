// Types that the archives know and refuse.
#include <wharf/archive.hpp>
#include <wharf/memory_image.hpp>
#include <wharf/raw_pointers.hpp>

#include <boost/any.hpp>
#include <boost/circular_buffer.hpp>
#include <boost/function.hpp>
#include <boost/graph/adj_list_serialize.hpp>
#include <boost/graph/adjacency_list.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <boost/numeric/ublas/matrix.hpp>
#include <boost/optional.hpp>
#include <boost/ptr_container/serialize_ptr_vector.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/utility/string_view.hpp>

#include <any>
#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <initializer_list>
#include <locale>
#include <mutex>
#include <regex>
#include <sstream>
#include <thread>
#include <typeindex>

struct good {
    int a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
    }
};
struct never : good {};
BOOST_CLASS_TRACKING(never, boost::serialization::track_never)
struct leaky : good {
    virtual void f() {}
};
void intrusive_ptr_add_ref(good*) {}
void intrusive_ptr_release(good*) {}
struct release {
    void operator()(good*) const {}
};
union either {
    int a;
    float b;
};

struct with_padding {
    char a;
    int b;
};
struct with_bool {
    bool a;
};
struct with_pointer {
    int* a;
};
struct with_long_double {
    long double a;
};
struct not_trivial {
    std::string a;
};
class hidden_padding {
public:
    hidden_padding() = default;
    char get() const { return a_; }

private:
    char a_ = 0;
    int b_ = 0;
};
template <>
inline constexpr bool wharf::is_memory_image<with_padding> = true;
template <>
inline constexpr bool wharf::is_memory_image<with_bool> = true;
template <>
inline constexpr bool wharf::is_memory_image<with_pointer> = true;
template <>
inline constexpr bool wharf::is_memory_image<with_long_double> = true;
template <>
inline constexpr bool wharf::is_memory_image<not_trivial> = true;
template <>
inline constexpr bool wharf::is_memory_image<hidden_padding> = true;

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

void compile()
{
    store(std::shared_ptr<good>());
    store(std::unique_ptr<never>());
    store(std::vector<std::optional<std::string>>());
}

#ifdef REFUSED
// Refused: wharf: a raw pointer cannot travel
void store_raw_pointer()
{
    store(static_cast<int*>(nullptr));
}

// Refused: wharf: a raw pointer cannot travel
void load_raw_pointer()
{
    long* p = nullptr;
    load(p);
}

// Refused: wharf: a raw pointer cannot travel
void char_pointer()
{
    store(static_cast<const char*>("text"));
}

// Refused: wharf: a raw pointer cannot travel
void pointer_in_container()
{
    std::vector<good*> all;
    load(all);
}

// Refused: wharf: a raw pointer cannot travel
void file_pointer()
{
    store(stdout);
}

// Refused: wharf: a pointer to void cannot travel
void void_pointer()
{
    store(static_cast<void*>(nullptr));
}

// Refused: wharf: a pointer to a function cannot travel
void function_pointer()
{
    store(&void_pointer);
}

// Refused: wharf: a pointer to a pointer cannot travel
void pointer_to_pointer()
{
    store(std::shared_ptr<std::shared_ptr<good>>());
}

// Refused: wharf: a pointer to an array of unknown bound
void pointer_to_array()
{
    store(std::unique_ptr<int[]>());
}

// Refused: wharf: a pointer to a member
void pointer_to_member()
{
    store(&good::a);
}

// Refused: wharf: a pointer to a member or a null pointer
void null_pointer()
{
    store(nullptr);
}

// Refused: wharf: a std::unique_ptr with a deleter of its own
void deleter_of_its_own()
{
    store(std::unique_ptr<good, release>());
}

// Refused: wharf: this class has virtual functions but no virtual destructor
void no_virtual_destructor()
{
    store(std::unique_ptr<leaky>());
}

// Refused: wharf: a class of tracking level track_never cannot be shared
void shared_and_never_tracked()
{
    store(std::shared_ptr<never>());
}

// Refused: wharf: boost::intrusive_ptr has no count
void intrusive_pointer()
{
    store(boost::intrusive_ptr<good>());
}

// Refused: wharf: std::string_view does not own
void string_view()
{
    store(std::string_view());
}

// Refused: wharf: std::string_view does not own
void wide_string_view()
{
    store(std::wstring_view());
}

// Refused: wharf: boost::string_view does not own
void boost_string_view()
{
    store(boost::string_view());
}

// Refused: wharf: this view does not own
void span()
{
    store(std::span<int>());
}

// Refused: wharf: this view does not own
void initializer_list()
{
    store(std::initializer_list<int>{1});
}

// Refused: wharf: a function object holds code
void function_object()
{
    store(std::function<void()>());
}

// Refused: wharf: a function object holds code
void boost_function()
{
    store(boost::function<void()>());
}

// Refused: wharf: an any can hold
void any()
{
    store(std::any());
}

// Refused: wharf: an any can hold
void boost_any()
{
    store(boost::any());
}

// Refused: wharf: an atomic is shared by threads
void atomic(const std::atomic<int>& value)
{
    store(value);
}

// Refused: wharf: threads and locks are of one process
void thread(const std::thread& value)
{
    store(value);
}

// Refused: wharf: threads and locks are of one process
void mutex(const std::mutex& value)
{
    store(value);
}

// Refused: wharf: threads and locks are of one process
void condition_variable(const std::condition_variable& value)
{
    store(value);
}

// Refused: wharf: threads and locks are of one process
void future(const std::future<int>& value)
{
    store(value);
}

// Refused: wharf: a stream cannot travel
void stream(const std::stringstream& value)
{
    store(value);
}

// Refused: wharf: a stream cannot travel
void file_stream(const std::ofstream& value)
{
    store(value);
}

// Refused: wharf: a reference does not own
void reference_wrapper(int& value)
{
    store(std::ref(value));
}

// Refused: wharf: an optional reference does not own
void optional_reference()
{
    store(boost::optional<int&>());
}

// Refused: wharf: an exception cannot travel
void exception_pointer()
{
    store(std::exception_ptr());
}

// Refused: wharf: the category of an error code
void error_code()
{
    store(std::error_code());
}

// Refused: wharf: the category of an error code
void boost_error_code()
{
    store(wharf::error_code());
}

// Refused: wharf: a type cannot travel
void type_index()
{
    store(std::type_index(typeid(int)));
}

// Refused: wharf: a compiled expression cannot travel
void regex()
{
    store(std::regex());
}

// Refused: wharf: a coroutine is of one process
void coroutine()
{
    store(std::coroutine_handle<>());
}

// Refused: wharf: a locale is of one process
void locale()
{
    store(std::locale());
}

// Refused: wharf: this floating point type cannot travel
void float128()
{
    store(__float128{});
}

// Refused: wharf: a union cannot travel
void union_of_members()
{
    store(either{});
}

// Refused: wharf: this type of a library has no serialize
void circular_buffer()
{
    store(boost::circular_buffer<int>());
}

// Refused: wharf: this type of a library has no serialize
void hash_function()
{
    store(std::hash<int>());
}

// Refused: wharf: Boost's serialize\(\) of this number believes
void big_number()
{
    store(boost::multiprecision::cpp_int());
}

// Refused: wharf: Boost's serialize\(\) of this container reserves
void pointer_container()
{
    store(boost::ptr_vector<good>());
}

// Refused: wharf: Boost's serialize\(\) of this class believes
void matrix()
{
    store(boost::numeric::ublas::matrix<double>());
}

// Refused: wharf: Boost's serialize\(\) of this class believes
void graph()
{
    store(boost::adjacency_list<>());
}

// Refused: wharf: a memory image must not have padding
void image_with_padding()
{
    store(with_padding{});
}

// Refused: wharf: a memory image must not have padding
void image_with_hidden_padding()
{
    store(hidden_padding{});
}

// Refused: wharf: a bool cannot be in a memory image
void image_with_bool()
{
    store(with_bool{});
}

// Refused: wharf: a pointer cannot be in a memory image
void image_with_pointer()
{
    store(with_pointer{});
}

// Refused: wharf: this member cannot be in a memory image
void image_with_long_double()
{
    store(with_long_double{});
}

// Refused: wharf: a memory image must be a trivially copyable class
void image_not_trivial()
{
    store(not_trivial{});
}
#endif
