// A service that answers with a stream.
#pragma once

#include "counter.hpp"

#include <wharf/service.hpp>

struct counter {
    static wharf::awaitable<void> count(count_up c, wharf::sink<std::int64_t>& out)
    {
        for (std::int64_t i = 1; i <= c.last; ++i)
            co_await out.async_send(i); // suspends while the caller's window is full
    }
    void serve(wharf::router& router) { router.on<count_up>(&counter::count); }
};
