// Subcommands that ask a daemon about itself: ping, status, list, limits, sessions, metrics.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_status(CLI::App& app, program& to);

} // namespace wharf::ctl
