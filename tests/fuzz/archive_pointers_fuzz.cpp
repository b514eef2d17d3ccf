// Any bytes as graphs of objects: shared, unique, weak and raw pointers, polymorphic classes,
// tracked values. Whatever happens, every object is ended once.
#include "../proto/archive_hostile_graphs.hpp"
#include "archive_fuzz.hpp"

BOOST_CLASS_EXPORT_IMPLEMENT(hostile::circle)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::group)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::stranger)

namespace {

using namespace hostile;
using namespace archive_fuzz;

/// Each trial must leave as many objects as it found.
template <class T, form Form>
void try_counted(std::span<const std::byte> message)
{
    counted::alive = 0;
    try_as<T, Form>(message);
    require(counted::alive == 0, "every object is ended, once");
}

constexpr trial trials[] = {
    try_counted<smart, form::weak>,
    try_counted<from_boost, form::weak>,
    try_counted<polymorphic, form::weak>,
    try_counted<with_construct_data, form::weak>,
    try_counted<with_raw, form::exact>,
    try_counted<weak, form::weak>,
    try_counted<deep, form::exact>,
    // A second visit that says it is the first is not told from a temporary at the same address.
    try_counted<visits, form::settled>,
    try_counted<std::vector<std::shared_ptr<text>>, form::exact>,
    try_counted<std::vector<std::shared_ptr<circle>>, form::exact>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
