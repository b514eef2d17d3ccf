// The main() that all test programs share, compiled once.
#define BOOST_TEST_MODULE wharf
#include <boost/test/unit_test.hpp>
