// Subcommands by which operators change a daemon that runs: reload, drain, log-level.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_control(CLI::App& app, program& to);

} // namespace wharf::ctl
