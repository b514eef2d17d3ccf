// The service of the load and fault tests.
#pragma once

#include "commands.hpp"

#include <wharf/server.hpp>

#include <mutex>

namespace stress {

/// Answers the commands of commands.hpp. The server outlives it.
class service {
public:
    explicit service(const wharf::server& asked) : server_(asked) {}
    void serve(wharf::router& commands);

private:
    wharf::awaitable<void> wait_for_cancel(wharf::call& current);

    const wharf::server& server_;
    std::mutex mutex_;
    cancels cancels_;
};

} // namespace stress
