// Runs a test's own context until what must come has come.
#pragma once

#include "support.hpp"

#include <boost/asio/io_context.hpp>

namespace stress {

/// Runs the context until it is so; false where it takes too long.
template <class F>
bool run_until(boost::asio::io_context& context, F is_so)
{
    const auto until = stress::clock::now() + stress::patience;
    context.restart();
    while (!is_so())
        if (context.run_one_until(until) == 0)
            return is_so();
    return true;
}

} // namespace stress
