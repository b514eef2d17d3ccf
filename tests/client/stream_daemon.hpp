// A daemon of streaming commands that the test controls, and what it saw of them.
#pragma once

#include "fake_daemon.hpp"
#include "stream_commands.hpp"

#include <optional>

/// What the daemon saw of streams, in its own thread; read after its end or by fake::daemon::run().
struct seen {
    std::vector<std::uint64_t> cancelled;
    std::size_t uploads = 0, upload_bytes = 0;
    bool consumes = true;
    bool acknowledges = true; ///< that it stopped what was cancelled
};

struct stream_daemon {
    fake::directory directory;
    seen saw;
    std::map<std::string, fake::handler> handlers{
        fake::on<twice>([](const twice& c) { return c.number * 2; }),
        {std::string(ticks::name),
         [](fake::session& with, const fake::request& call) {
             const auto count = fake::decode<ticks>(call.message).count;
             for (std::int64_t i = 0; i < count; ++i)
                 with.send(call.id, i);
             if (count < 0) // for the test to go on with
                 with.held.push_back(call.id);
             else
                 with.end(call.id);
         }},
        fake::hold<pour>(),
        fake::hold<mirror>()};
    fake::daemon::options how{.on_open = {},
                              .on_accept = {},
                              .limits = {},
                              .on_event = [this](fake::session& with, const wharf::event& what) {
                                  on_event(with, what);
                              }};
    std::optional<fake::daemon> daemon{std::in_place, directory.socket(), handlers, how};

    void on_event(fake::session& with, const wharf::event& what)
    {
        if (auto* item = std::get_if<wharf::events::item>(&what)) {
            const auto text = fake::decode<std::string>(item->message);
            ++saw.uploads;
            saw.upload_bytes += text.size();
            if (saw.consumes)
                with.talk.consumed(item->id, item->which, item->message.size());
            if (with.names.back() == mirror::name)
                with.send(item->id, text);
        }
        else if (auto* ended = std::get_if<wharf::events::upload_ended>(&what)) {
            if (with.names.back() == mirror::name)
                with.end(ended->id);
            else
                with.reply(ended->id, static_cast<std::int64_t>(saw.upload_bytes));
        }
        else if (auto* given_up = std::get_if<wharf::events::cancelled>(&what)) {
            saw.cancelled.push_back(given_up->id);
            if (saw.acknowledges)
                with.talk.reply_error(given_up->id, wharf::errc::cancelled);
        }
    }
    /// Does it hold a call that the test is to go on with?
    bool holds()
    {
        bool held = false;
        daemon->run(
            [&](auto& sessions) { held = !sessions.empty() && !sessions.front()->held.empty(); });
        return held;
    }
    std::size_t cancelled()
    {
        std::size_t count = 0;
        daemon->run([&](auto&) { count = saw.cancelled.size(); });
        return count;
    }
};
