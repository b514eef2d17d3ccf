// Completion: what may stand where the cursor is, told by the command line's own description and by
// the daemon.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;
struct shared_options;

/// The subcommand completion: prints the script of a shell.
void add_completion(CLI::App& app, program& to);

/// The words that could stand for the last of `words`, which follow "wharfctl". A daemon that does
/// not answer within 250 ms has nothing to say; nothing else fails. Does not throw.
std::vector<std::string> complete(const CLI::App& app, std::vector<std::string> words) noexcept;

/// wharfctl __complete WORDS..., or --line LINE: a candidate a line, always exit code 0. With
/// --line, what a shell puts in the place of the word that is being typed, quoted as that is; with
/// WHARFCTL_BREAKS in the environment, behind the last of its characters in the word.
int run_complete(const CLI::App& app, int argc, char** argv);

} // namespace wharf::ctl
