// What a process that somebody has taken over would try first.
#pragma once

#include <string>
#include <vector>

namespace probe {

/// One system call, and what came of it: "ok" or the name of the errno.
struct attempt {
    std::string what;
    std::string outcome;
};

/// Tries all and undoes what succeeded. A program that can be run at all is run in a child.
std::vector<attempt> try_all(const std::string& state_directory, const std::string& other_address);

} // namespace probe
