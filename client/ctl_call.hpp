// Subcommands that call any command by its name, without its C++ type: call, describe.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_call(CLI::App& app, program& to);

} // namespace wharf::ctl
