// The subcommand top: what a daemon does, while one watches.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_top(CLI::App& app, program& to);

} // namespace wharf::ctl
