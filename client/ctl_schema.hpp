// The subcommands schema export and schema diff: what changes of types do to those who call.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_schema(CLI::App& app, program& to);

} // namespace wharf::ctl
