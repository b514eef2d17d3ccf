// Runs a program and gives what it printed and how it ended.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace program {

struct result {
    int status = -1;    ///< the exit code
    std::string output; ///< standard output, or with " 2>&1" both
};

/// `command` is a shell's.
inline result run(const std::string& command)
{
    std::FILE* from = ::popen(command.c_str(), "r");
    if (!from)
        throw std::runtime_error("cannot run " + command);
    result r;
    std::array<char, 4096> some;
    while (const std::size_t n = std::fread(some.data(), 1, some.size(), from))
        r.output.append(some.data(), n);
    const int status = ::pclose(from);
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return r;
}

} // namespace program
