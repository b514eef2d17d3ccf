// The options that every subcommand of wharfctl has, and what stands in for them.
#pragma once

#include "ctl_program.hpp"
#include "ctl_settings.hpp"

#include <string>

namespace CLI {
class App;
}

namespace wharf::ctl {

/// As the command line has them; empty: it does not say.
struct shared_options {
    std::string endpoint;
    std::string timeout;
    std::string colour;
    bool wait = false;
    bool as_json = false;
};

/// `from` must outlive the parse.
void add_shared_options(CLI::App& app, shared_options& from);

/// The colours of standard error, before anything else may fail. Does not throw.
style error_style(const shared_options& from) noexcept;

/// Fills in the rest, in this order: the command line, the environment (WHARF_ENDPOINT,
/// WHARF_TIMEOUT), the user's file, the system's file, the defaults. Throws usage_error.
void decide(context& to, const shared_options& from,
            const std::string& user_file = user_settings_file(),
            const std::string& system_file = system_settings_file);

} // namespace wharf::ctl
