// What of a configuration that was read again can be put in force while the daemon runs.
#pragma once

#include "config.hpp"

#include <string>
#include <vector>

namespace wharf::config {

/// A reload, before anything of it is done.
struct reload_plan {
    configuration now;                ///< to be in force: what can change has changed
    std::vector<std::string> applied; ///< keys that change by it
    std::vector<std::string>
        restart; ///< keys that would have to change, and cannot before a restart
};

/// `running` is what is in force, `read` a configuration that check() let pass. Allow lines that
/// name a listener which is not there yet wait for the restart, too.
/// Throws config_error where what can change does not fit what cannot.
reload_plan plan_reload(const configuration& running, configuration read);

/// Does a key, as keys() name it, change at a restart only?
bool needs_restart(const std::string& key);

} // namespace wharf::config
