// What a daemon's command line says.
#pragma once

#include "config.hpp"

#include <string>

namespace wharf {

struct command_line {
    config::overrides settings;
    enum class action : std::uint8_t { run, check, print_config };
    action what = action::run;
    bool print_endpoints = false;
};

/// What to print instead of running, and the status to exit with.
struct early_exit {
    std::string text;
    int status = 0; ///< 0: the text goes to stdout; else to stderr
};

/// Reads the command line of a daemon of this name and version. Throws early_exit for --help,
/// --version and for whatever it does not know.
command_line read_command_line(int argc, const char* const* argv, const std::string& name,
                               const std::string& version);

} // namespace wharf
