// What the subcommands of wharfctl share: what the command line, the environment and the files
// said, and the connection.
#pragma once

#include "ctl_errors.hpp"
#include "ctl_style.hpp"

#include <wharf/blocking_client.hpp>

#include <functional>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace wharf::ctl {

/// Complete before a subcommand does its work.
struct context {
    std::string endpoint;
    std::string endpoint_origin; ///< who named it: "--endpoint", "WHARF_ENDPOINT", a file
    client_options options;
    bool as_json = false; ///< JSON lines, instead of tables
    style out;            ///< of standard output
    style err;

    /// Made at the first call of this function; does not connect. Throws error(bad_endpoint).
    blocking_client& client();

private:
    std::unique_ptr<blocking_client> client_;
};

/// What the command line chose: a subcommand's callback sets it, main() runs it. Returns the exit
/// code; throws error, local_error and usage_error.
struct program {
    std::function<int(context&)> run;
};

} // namespace wharf::ctl
