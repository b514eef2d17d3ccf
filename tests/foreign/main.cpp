// main() with Boost.Test inside: its library for the other machine is not needed.
#define BOOST_TEST_MODULE wharf
#include <boost/test/included/unit_test.hpp>
