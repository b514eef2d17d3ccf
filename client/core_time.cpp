// Time of a client: deadlines, and signs of life of a connection.
#include "core.hpp"

#include <algorithm>

namespace wharf::detail {

void client_core::note_deadline(time_point deadline)
{
    // Deadlines of ten seconds follow each other: the timer is armed once, and looks when it fires.
    if (driver_ == driver::callers || (timer_at_ && *timer_at_ <= deadline))
        return;
    timer_at_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([self = shared_from_this(), generation = ++timer_generation_](error_code) {
        self->on_timer(generation);
    });
}

void client_core::on_timer(std::uint32_t generation)
{
    guard held(mutex_);
    if (generation != timer_generation_)
        return;
    timer_at_.reset();
    expire(clock::now());
    rearm_timer();
    settle();
    release(held);
}

void client_core::rearm_timer()
{
    std::optional<time_point> first;
    const auto consider = [&](std::optional<time_point> t) {
        if (t && (!first || *t < *first))
            first = t;
    };
    for (const call_record* record : waiting_)
        consider(record->call().deadline);
    for (const link_ptr& each : links()) {
        for (const call_record* record : each->waiting)
            consider(record->call().deadline);
        consider(next_look(*each));
        consider(next_served_deadline(*each, clock::now()));
    }
    if (first)
        note_deadline(*first);
}

void client_core::expire(time_point now)
{
    expire_waiting(waiting_, now);
    for (const link_ptr& each : links()) {
        expire_waiting(each->waiting, now);
        expire_served(*each, now);
        expire(each, now);
        check_life(each, now);
        admit(*each);
        flush(*each);
    }
}

void client_core::expire_waiting(std::deque<call_record*>& waiting, time_point now)
{
    std::erase_if(waiting, [&](call_record* record) {
        if (record->call().deadline > now)
            return false;
        finish(record, errc::deadline_exceeded, deadline_text(false));
        return true;
    });
}

void client_core::expire(const link_ptr& from, time_point now)
{
    if (from->in_turn) {
        from->expire_after_turn = true; // its events point into its buffers
        return;
    }
    for (;;) {
        event what = from->talk.expire(now);
        if (auto* late = std::get_if<events::expired>(&what)) {
            if (call_record* record = take_sent(*from, late->id))
                finish(record, errc::deadline_exceeded, deadline_text(true));
        }
        else if (auto* end = std::get_if<events::ended>(&what)) {
            lose(from, end->code, std::move(end->text));
            return;
        }
        else
            return;
    }
}

// ---- Signs of life ------------------------------------------------------------------------------

/// From now on the daemon must say something now and then.
void client_core::watch(link& which)
{
    if (which.is_watched || options_.ping_interval <= std::chrono::milliseconds(0))
        return;
    which.is_watched = true;
    which.heard_at = clock::now();
    note_deadline(which.heard_at + options_.ping_interval);
}

std::optional<client_core::time_point> client_core::next_look(const link& at) const
{
    if (at.in_turn)
        return std::nullopt; // its end looks
    std::optional<time_point> when = at.talk.next_deadline();
    if (at.is_watched && at.talk.is_open()) {
        const time_point life = at.pinged_at ? *at.pinged_at + options_.ping_timeout
                                             : at.heard_at + options_.ping_interval;
        when = when ? std::min(*when, life) : life;
    }
    return when;
}

void client_core::check_life(const link_ptr& which, time_point now)
{
    if (!which->is_watched || which->gone || !which->talk.is_open())
        return;
    if (which->in_turn) {
        which->expire_after_turn = true;
        return;
    }
    if (!keeps_ && which->streams.empty()) {
        which->is_watched = false;
        which->pinged_at.reset();
        return;
    }
    error_code ignored;
    if (which->pinged_at && now - *which->pinged_at >= options_.ping_timeout) {
        // What came while this program did not look counts: the reader finds it.
        if (which->stream.available(ignored) == 0)
            lose(which, errc::connection_reset, "no sign of life");
        else
            which->pinged_at = now;
    }
    else if (!which->pinged_at && now - which->heard_at >= options_.ping_interval) {
        which->talk.ping(0);
        which->pinged_at = now;
    }
}

} // namespace wharf::detail
