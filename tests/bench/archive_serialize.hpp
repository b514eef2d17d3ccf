// Boost's serialize() of the benchmark's values: what Wharf's archives and Boost's own both use.
// They are inline, as members defined in their class are, which is how most serialize() are
// written.
#pragma once

#include "archive_values.hpp"

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>

namespace bench::archive {

template <class Archive>
inline void serialize(Archive& ar, small& value, unsigned /*version*/)
{
    ar& value.a& value.b& value.text;
}
template <class Archive>
inline void serialize(Archive& ar, record& value, unsigned /*version*/)
{
    ar& value.id& value.name& value.tags& value.numbers;
}
template <class Archive>
inline void serialize(Archive& ar, medium& value, unsigned /*version*/)
{
    ar& value.records;
}
template <class Archive>
inline void serialize(Archive& ar, large& value, unsigned /*version*/)
{
    ar& value.numbers;
}
template <class Archive>
inline void serialize(Archive& ar, node& value, unsigned /*version*/)
{
    ar& value.id& value.left& value.right;
}
template <class Archive>
inline void serialize(Archive& ar, number_node& value, unsigned /*version*/)
{
    ar& boost::serialization::base_object<node>(value) & value.number;
}
template <class Archive>
inline void serialize(Archive& ar, text_node& value, unsigned /*version*/)
{
    ar& boost::serialization::base_object<node>(value) & value.text;
}
template <class Archive>
inline void serialize(Archive& ar, pool& value, unsigned /*version*/)
{
    ar& value.nodes;
}

} // namespace bench::archive

BOOST_CLASS_EXPORT_KEY2(bench::archive::number_node, "number")
BOOST_CLASS_EXPORT_KEY2(bench::archive::text_node, "text")
