// The subcommand that follows the changes of stored objects: watch.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_watch(CLI::App& app, program& to);

} // namespace wharf::ctl
