// A class whose serialize() is compiled here, for the two archives and nothing else.
#include "schema_types.hpp"

namespace schema_types {

template <class Archive>
void hidden::serialize(Archive& ar, unsigned)
{
    ar& boost::serialization::make_nvp("a", a_) & boost::serialization::make_nvp("b", b_);
}

template void hidden::serialize(wharf::store_archive&, unsigned);
template void hidden::serialize(wharf::load_archive&, unsigned);

} // namespace schema_types
