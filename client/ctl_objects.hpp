// Subcommands for stored objects: get, put, cas, erase, ls.
#pragma once

namespace CLI {
class App;
}

namespace wharf::ctl {

struct program;

void add_objects(CLI::App& app, program& to);

} // namespace wharf::ctl
