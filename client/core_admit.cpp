// From waiting to sent: what a client lets onto its connection, and how its streams join.
#include "core.hpp"

#include <algorithm>

namespace wharf::detail {

namespace {

/// What is queued before the kernel has taken it; more waits, where it can be withdrawn at no cost.
constexpr std::size_t unsent_bytes_max = 256u << 10;

} // namespace

void client_core::admit(link& to)
{
    if (to.gone || to.leaving || !to.talk.is_open())
        return;
    const bool takes_all = &to == link_.get() && !to.hooks_running;
    if (to.waiting.empty() && !(takes_all && !waiting_.empty()))
        return;
    const time_point now = clock::now();
    const auto admit_from = [&](std::deque<call_record*>& waiting) {
        while (!waiting.empty() && may_send(to)) {
            call_record* record = waiting.front();
            waiting.pop_front();
            if (record->call().deadline <= now)
                finish(record, errc::deadline_exceeded, deadline_text(false));
            else
                admit_one(to, record, now);
        }
    };
    admit_from(to.waiting);
    if (takes_all)
        admit_from(waiting_);
}

bool client_core::may_send(link& to) const
{
    return to.talk.own_calls_in_flight() < options_.calls_in_flight_max &&
           to.talk.unsent_bytes() < unsent_bytes_max;
}

void client_core::admit_one(link& to, call_record* record, time_point now)
{
    const encoded_call& call = record->call();
    const std::shared_ptr<stream_channel>& channel = record->channel();
    try {
        if (channel && to.talk.peer().stream_window_bytes == 0)
            throw error(errc::unsupported_protocol, where_text_ + " knows no streams");
        const std::uint16_t number = to.versions.declare(to.talk, call);
        record->is_too_new = false;
        record->sent_before = to.bytes_sent + to.talk.unsent_bytes_before_next();
        const std::uint64_t id = to.versions.send(to.talk, number, call, now);
        to.calls.emplace(id, record);
        if (channel) {
            to.streams.emplace(id, channel);
            to.versions.prepare(*channel, number, call);
            channel->attach(to.talk, id);
            watch(to);
        }
    }
    catch (const error& e) {
        finish(record, e.code(), e.text());
    }
}

call_record* client_core::take_sent(link& from, std::uint64_t id)
{
    const auto it = from.calls.find(id);
    if (it == from.calls.end())
        return nullptr;
    call_record* record = it->second;
    from.calls.erase(it);
    if (record->channel())
        from.streams.erase(id);
    return record;
}

/// Calls that were certainly not accepted wait again, for the next connection. Those that belong to
/// this one end, and so do streams, with `why`.
void client_core::take_back(link& from, const error& why,
                            const std::function<bool(std::uint64_t id, const call_record&)>& which)
{
    std::vector<std::pair<std::uint64_t, call_record*>> back;
    for (const auto& [id, record] : from.calls)
        if (which(id, *record))
            back.emplace_back(id, record);
    std::sort(back.begin(), back.end());
    for (auto it = back.rbegin(); it != back.rend(); ++it) {
        call_record* record = take_sent(from, it->first);
        if (from.is_own(record->ticket))
            finish(record, errc::not_connected, "the connection ended before the call was sent");
        else if (record->channel())
            finish(record, why.code(), why.text()); // what its user sent since is lost
        else
            waiting_.push_front(record);
    }
}

// ---- Streams ------------------------------------------------------------------------------------

std::shared_ptr<stream_channel> client_core::make_channel(bool receives, bool sends)
{
    return std::make_shared<stream_channel>(shared_from_this(), stream_channel::role::caller,
                                            receives, sends);
}

bool client_core::has_room() const noexcept
{
    const auto is_short = [](const link_ptr& each) {
        each->room_was_short |= each->talk.unsent_bytes() >= unsent_bytes_max;
        return each->room_was_short;
    };
    return !(link_ && is_short(link_)) && std::none_of(retired_.begin(), retired_.end(), is_short);
}

void client_core::written()
{
    // Threads that wait for a stream flush before they do; and inside a channel it cannot be told
    // that there is room again.
    if (driver_ == driver::executor)
        schedule_flush();
}

/// Inside the channel's own function: it is not called back, and the record is finished by whoever
/// releases the lock next.
void client_core::give_up(stream_channel& dropped)
{
    const auto is_its = [&](const call_record* each) { return each->channel().get() == &dropped; };
    const auto end = [&](call_record* record) {
        bytes_held_ -= record->call().message.size();
        endings_.push_back({record, errc::cancelled, {}, {}});
        post_flush();
    };
    const auto look_in_waiting = [&](std::deque<call_record*>& waiting) {
        const auto it = std::find_if(waiting.begin(), waiting.end(), is_its);
        if (it == waiting.end())
            return;
        call_record* record = *it;
        waiting.erase(it);
        end(record);
    };
    look_in_waiting(waiting_);
    for (const link_ptr& each : links()) {
        look_in_waiting(each->waiting);
        const auto it = each->calls.find(dropped.id());
        if (it == each->calls.end() || !is_its(it->second))
            continue;
        const std::uint64_t id = it->first;
        call_record* record = take_sent(*each, id);
        each->talk.cancel(id);
        end(record);
    }
}

} // namespace wharf::detail
