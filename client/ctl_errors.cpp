// Each kind of failure with its remedy.
#include "ctl_errors.hpp"

#include "ctl_text.hpp"

namespace wharf::ctl {

exit_code exit_code_of(errc code) noexcept
{
    switch (code) {
    case errc::not_found: return exit_code::not_found;
    case errc::bad_endpoint: return exit_code::usage;
    case errc::conflict: return exit_code::conflict;
    case errc::permission_denied:
    case errc::access_denied: return exit_code::denied;
    case errc::connection_refused:
    case errc::connection_closed:
    case errc::connection_reset:
    case errc::host_not_found:
    case errc::unreachable:
    case errc::io_error:
    case errc::not_connected:
    case errc::deadline_exceeded:
    case errc::handshake_timeout:
    case errc::outcome_unknown:
    case errc::going_away: return exit_code::unreachable;
    default: return exit_code::failed;
    }
}

std::string explain(const error& e, std::string_view endpoint, std::string_view origin)
{
    const std::string where = escape(endpoint);
    const std::string from = escape(origin);
    switch (e.code()) {
    case errc::connection_refused:
        return "no daemon at " + where + " (connection refused; endpoint from " + from +
               "): is wharfd running? Try `systemctl status wharfd`, or give --endpoint";
    case errc::unreachable:
    case errc::host_not_found:
        return "cannot reach " + where + " (" + std::string(to_sentence(e.code())) +
               "; endpoint from " + from + "): check it, or give --endpoint";
    case errc::access_denied:
        return "the system denies you " + where +
               ": become a member of the socket's group (wharf), or use sudo";
    case errc::permission_denied:
        return escape(e.what()) + ": ask for an [[allow]] line or a role in wharfd.conf";
    case errc::deadline_exceeded:
        return escape(e.what()) + ": give more time by --timeout, or look at the daemon's log";
    case errc::outcome_unknown: return escape(e.what()) + ": look before you repeat it";
    case errc::bad_endpoint: return escape(e.what()) + " (endpoint from " + from + ")";
    case errc::unknown_command:
        return escape(e.what()) + ": `wharfctl list` shows what the daemon serves";
    case errc::not_found: return escape(e.what()) + ": `wharfctl ls` shows the keys that there are";
    case errc::conflict: return escape(e.what()) + ": get it again and repeat the change";
    default: return escape(e.what());
    }
}

} // namespace wharf::ctl
