// session: items of streams, credit, and room for more.
#include "session_calls.hpp"

#include <algorithm>

namespace wharf {

detail::stream_channel* session::channel_of_peers(std::uint64_t id) const noexcept
{
    const auto found = running_.find(id);
    return found == running_.end() ? nullptr : found->second->channel.get();
}

detail::stream_channel* session::channel_of_ours(std::uint64_t id) const noexcept
{
    const auto found = peer_calls_.find(id);
    return found == peer_calls_.end() ? nullptr : found->second->channel().get();
}

void session::on_item(const events::item& e)
{
    detail::stream_channel* const to =
        e.which == flow::upload ? channel_of_peers(e.id) : channel_of_ours(e.id);
    // Of a call that is over: nobody has it in memory, and so its credit goes back.
    if (to == nullptr)
        conversation_.consumed(e.id, e.which, e.message.size());
    else
        to->on_item(e.message);
    if (to != nullptr && e.which == flow::upload)
        host_.metrics.moved(running_.find(e.id)->second->entry.index, e.message.size(), 0);
}

void session::on_window(const events::window_opened& e)
{
    if (e.id == 0)
        serve_blocked_channels();
    else if (detail::stream_channel* c =
                 e.which == flow::reply ? channel_of_peers(e.id) : channel_of_ours(e.id))
        c->on_writable();
}

/// Streams leave half of the room to all else, so that one which never runs dry holds up neither
/// what the peer says nor replies.
bool session::has_room() const noexcept
{
    if (!broken_ && conversation_.unsent_bytes() < high_water_ / 2)
        return true;
    room_was_missing_ = true;
    return false;
}

/// Most of what is consumed says nothing to the peer yet.
void session::written()
{
    if (conversation_.unsent_bytes() != 0)
        flush_soon();
}

/// Items of replies count as soon as they are written: a stream may never end.
void session::item_written(const detail::stream_channel& by, std::size_t bytes) noexcept
{
    const auto found = running_.find(by.id());
    if (found != running_.end() && found->second->channel.get() == &by)
        host_.metrics.moved(found->second->entry.index, 0, bytes);
}

/// Lets the channels that wait write, as long as there is room. They take turns: the first is the
/// one after that which wrote last.
void session::serve_blocked_channels()
{
    room_was_missing_ = false;
    using waiting = std::pair<std::uint64_t, channel_ptr>;
    std::vector<waiting> all;
    // Ids of the two sides are counted apart; the lowest bit keeps them apart here.
    for (const auto& [id, running] : running_)
        if (running->channel && running->channel->is_blocked())
            all.emplace_back(2 * id, running->channel);
    for (const auto& [id, record] : peer_calls_)
        if (record->channel() && record->channel()->is_blocked())
            all.emplace_back(2 * id + 1, record->channel());
    const auto by_id = [](const waiting& a, const waiting& b) { return a.first < b.first; };
    std::sort(all.begin(), all.end(), by_id);
    std::rotate(all.begin(),
                std::upper_bound(all.begin(), all.end(), waiting(last_served_, nullptr), by_id),
                all.end());
    for (const auto& [id, channel] : all) {
        channel->on_writable();
        if (!channel->is_blocked())
            last_served_ = id;
        if (room_was_missing_)
            break;
    }
}

} // namespace wharf
