// The export keys of the golden rows' classes, once for all files of the test.
#include "archive_golden_types.hpp"

BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::circle)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::square)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::ball)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::left)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::right)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::bottom)
BOOST_CLASS_EXPORT_IMPLEMENT(archive_golden::vcircle)
