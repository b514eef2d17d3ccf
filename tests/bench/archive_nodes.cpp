// Exports P's classes to the archives of both kinds, whose headers must all stand before.
#include <wharf/archive.hpp>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/string.hpp>

#include "archive_serialize.hpp"

BOOST_CLASS_EXPORT_IMPLEMENT(bench::archive::number_node)
BOOST_CLASS_EXPORT_IMPLEMENT(bench::archive::text_node)
