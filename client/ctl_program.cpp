// The connection of a subcommand.
#include "ctl_program.hpp"

namespace wharf::ctl {

blocking_client& context::client()
{
    if (!client_)
        client_ = std::make_unique<blocking_client>(endpoint, options);
    return *client_;
}

} // namespace wharf::ctl
