// wharfctl call and wharfctl describe: commands by their names, without their C++ types.
#pragma once

#include <wharf/client_options.hpp>

#include <string>
#include <string_view>

namespace wharf::ctl {

/// What `wharfctl call` was told.
struct call_arguments {
    std::string command;
    std::string argument = "{}"; ///< JSON; "-": standard input
    bool one_line = false;
};

/// Calls, and prints the reply, or each item of a stream, as it comes; on a terminal indented. The
/// lines of standard input are the items of an upload. Throws error and local_error.
void call_command(std::string_view endpoint, const client_options& options,
                  const call_arguments& what);

/// Prints what a command takes and answers with; without a command, a line for each of all.
void describe_commands(std::string_view endpoint, const client_options& options,
                       const std::string& command, bool as_json);

} // namespace wharf::ctl
