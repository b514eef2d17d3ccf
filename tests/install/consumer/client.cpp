// A user's program, linked with the installed libraries: prints the area that the daemon answers.
#include "area.hpp"

#include <wharf/blocking_client.hpp>

#include <cstdio>

int main()
{
    const auto given = std::make_shared<square>();
    given->side = 3;
    wharf::blocking_client client; // where WHARF_ENDPOINT says
    std::printf("%.0f\n", client.call(area{given}));
}
