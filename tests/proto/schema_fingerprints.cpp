// Prints lines and fingerprints: every compiler and every optimisation must print the same.
#include "schema_types.hpp"

#include <cstdio>

using namespace schema_types;

namespace {

template <class... Types>
void print()
{
    (std::printf("%016llx %s\n",
                 static_cast<unsigned long long>(wharf::schema_of<Types>().fingerprint()),
                 wharf::schema_of<Types>().to_line().c_str()),
     ...);
}

} // namespace

int main()
{
    using namespace archive_golden;
    print<user, folder, leaf_or_pair, line, point3, pixel, evolved, holds_evolved, flags, signs,
          color, archive_types::wide, archive_types::plain, archive_types::truth, char, wchar_t,
          long double, std::set<std::string>, std::unordered_map<std::string, user>,
          std::vector<town>, std::shared_ptr<shape>, std::unique_ptr<solid>, late_holder, node,
          rings, tracked_bottom, std::vector<vtown>, std::map<std::int32_t, vderived>>();
}
