// When text has colours.
#include "ctl_style.hpp"

#include <unistd.h>

#include <cstdlib>

namespace wharf::ctl {

std::string style::in(std::string_view code, std::string_view text) const
{
    if (!is_on_ || text.empty())
        return std::string(text);
    std::string out = "\x1b[";
    return out.append(code).append("m").append(text).append("\x1b[0m");
}

style style_of(colour_choice choice, int descriptor)
{
    if (choice != colour_choice::automatic)
        return style(choice == colour_choice::always);
    // no-color.org: set and not empty means no.
    const char* unwanted = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    return style(::isatty(descriptor) != 0 && (unwanted == nullptr || *unwanted == '\0') &&
                 !is_dumb);
}

} // namespace wharf::ctl
