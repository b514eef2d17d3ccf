// The public face of a conversation, and what this end says of its own accord.
#include "conversation_state.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace wharf {

using namespace detail;

namespace {

bool equal(std::span<const std::byte> a, std::span<const std::byte> b) noexcept
{
    return std::ranges::equal(a, b);
}

conversation_limits sane(conversation_limits limits) noexcept
{
    limits.frame_bytes_max = std::max(limits.frame_bytes_max, frame_bytes_min);
    if (limits.session_window_bytes == 0)
        limits.stream_window_bytes = 0;
    limits.classes_max = std::min(limits.classes_max, classes_most);
    limits.session_window_bytes = std::min<std::size_t>(limits.session_window_bytes,
                                                        std::numeric_limits<std::ptrdiff_t>::max());
    return limits;
}

/// Rounded up, so that only what has passed is zero.
std::uint32_t milliseconds_left(conversation::time_point deadline, conversation::time_point now)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    return static_cast<std::uint32_t>(std::clamp<decltype(left + 0)>(left, 0, 0xffffffff));
}

} // namespace

bool events::declared::operator==(const declared& other) const
{
    return number == other.number && name == other.name &&
           classes.has_value() == other.classes.has_value() &&
           (!classes || equal(*classes, *other.classes));
}

bool events::versions::operator==(const versions& other) const
{
    return number == other.number && equal(classes, other.classes);
}

bool events::called::operator==(const called& other) const
{
    return id == other.id && number == other.number && timeout == other.timeout &&
           equal(message, other.message);
}

bool events::replied::operator==(const replied& other) const
{
    return id == other.id && equal(message, other.message);
}

bool events::item::operator==(const item& other) const
{
    return id == other.id && which == other.which && equal(message, other.message);
}

conversation::state::state(const conversation_limits& given, std::string_view software,
                           time_point now)
    : limits(sane(given)),
      in(2 * (frame_header_bytes + std::size_t{limits.frame_bytes_max})),
      handshake_deadline(now + limits.handshake_timeout),
      last_expire(now),
      session_may_receive(static_cast<std::int64_t>(limits.session_window_bytes))
{
    write_opening(software);
}

conversation::conversation(side, const conversation_limits& limits, std::string software,
                           time_point now)
    : state_(std::make_unique<state>(limits, software, now))
{}

conversation::~conversation() = default;
conversation::conversation(conversation&&) noexcept = default;
conversation& conversation::operator=(conversation&&) noexcept = default;

std::span<std::byte> conversation::prepare()
{
    return state_->prepare();
}

void conversation::rest() noexcept
{
    state_->rest();
}

void conversation::commit(std::size_t n) noexcept
{
    state_->commit(n);
}

event conversation::next()
{
    return state_->next();
}

message_owner* conversation::owner_of(std::span<const std::byte> message) noexcept
{
    state& s = *state_;
    return s.has_finished && s.finished.view().data() == message.data() ? &s.finished : nullptr;
}

event conversation::end_of_input()
{
    return state_->end_of_input();
}

std::optional<conversation::time_point> conversation::next_deadline() const
{
    return state_->next_deadline();
}

event conversation::expire(time_point now)
{
    return state_->expire(now);
}

byte_buffer& conversation::output() noexcept
{
    return state_->out.buffer();
}

std::span<const std::byte> conversation::unsent() const noexcept
{
    return state_->out.unsent();
}

std::size_t conversation::unsent_parts(std::span<std::span<const std::byte>> parts) const noexcept
{
    return state_->out.unsent_parts(parts);
}

std::size_t conversation::unsent_bytes() const noexcept
{
    return state_->out.bytes();
}

std::size_t conversation::unsent_bytes_before_next() const noexcept
{
    return state_->out.bytes_before_next();
}

void conversation::sent(std::size_t n) noexcept
{
    state_->out.sent(n);
    if (state_->has_held()) [[unlikely]]
        state_->flush_held();
}

std::optional<std::uint16_t> conversation::find_declared(std::string_view name) const noexcept
{
    const auto found = state_->own_commands.find(name);
    if (found == state_->own_commands.end())
        return std::nullopt;
    return found->second.number;
}

bool conversation::is_told(std::uint16_t number) const noexcept
{
    const state::own_command* command = state_->find_own(number);
    return command != nullptr && command->classes != state::own_classes::untold;
}

std::uint16_t conversation::declare(std::string_view name,
                                    std::optional<std::span<const std::byte>> classes)
{
    state& s = *state_;
    if (const auto known = find_declared(name))
        return *known;
    const auto bytes = std::as_bytes(std::span(name.data(), name.size()));
    if (!is_command_name(bytes))
        throw error(errc::bad_argument, "not a command name");
    if (s.own_commands.size() >= std::min<std::size_t>(s.limits.commands_max, 0x10000))
        throw error(errc::session_limit, "too many commands declared");
    const auto number = static_cast<std::uint16_t>(s.own_commands.size());
    state::own_command& command = s.own_commands[std::string(name)];
    command.number = number;
    if (s.is_sealed)
        return number;
    const bool is_told = classes && s.may_tell(classes->size());
    if (is_told) {
        command.classes = state::own_classes::told;
    }
    const std::size_t record_bytes = is_told ? record_head_bytes + classes->size() : 0;
    std::byte* to = s.out.add_frame({static_cast<std::uint32_t>(1 + name.size() + record_bytes),
                                     frame_kind::declare, 0, number});
    to[0] = static_cast<std::byte>(name.size());
    std::memcpy(to + 1, name.data(), name.size());
    if (is_told)
        store_record(to + 1 + name.size(), record_classes, *classes);
    return number;
}

void conversation::tell_versions(std::uint16_t number, std::span<const std::byte> classes)
{
    state& s = *state_;
    if (!s.tells_versions() || s.is_sealed)
        return;
    if (!s.may_tell(classes.size()))
        classes = {}; // an answer is owed: nothing is known of the others
    store_record(s.out.add_frame({static_cast<std::uint32_t>(record_head_bytes + classes.size()),
                                  frame_kind::versions, 0, number}),
                 record_classes, classes);
}

/// Sends a call by `write`, which is given the header and the bytes before the message.
template <class Write>
[[gnu::always_inline]] inline std::uint64_t
conversation::state::make_call(std::uint16_t number, std::size_t size,
                               std::optional<time_point> deadline, time_point now,
                               const Write& write)
{
    if (goaway_received || goaway_sent) [[unlikely]]
        throw error(errc::going_away);
    if (!is_open || has_ended) [[unlikely]]
        throw error(errc::not_connected);
    if (size > peer.message_bytes_max) [[unlikely]]
        throw error(errc::message_limit,
                    "the peer accepts " + std::to_string(peer.message_bytes_max) + " bytes");
    const std::uint64_t id = ++last_own_call; // gaps are allowed: what throws below leaves one
    own_calls.insert(id, {});
    frame_header header{0, frame_kind::call, 0, number, id};
    std::byte timeout[4];
    std::size_t timeout_bytes = 0;
    try {
        if (deadline) {
            deadlines.add(*deadline, id, own_calls);
            store_le(timeout, milliseconds_left(*deadline, now));
            timeout_bytes = sizeof timeout;
            header.flags = flag_timeout;
        }
        write(header, payload(timeout, timeout_bytes));
    }
    catch (...) {
        own_calls.erase(id);
        throw;
    }
    return id;
}

std::uint64_t conversation::call(std::uint16_t number, std::span<const std::byte> message,
                                 std::optional<time_point> deadline, time_point now)
{
    state& s = *state_;
    return s.make_call(number, message.size(), deadline, now,
                       [&](const frame_header& header, state::payload head) {
                           s.out.add_message(output_queue::lane_of(header.id, true), header, head,
                                             message, s.frame_bytes());
                       });
}

std::uint64_t conversation::call_shared(std::uint16_t number,
                                        const std::shared_ptr<const byte_buffer>& message,
                                        std::optional<time_point> deadline, time_point now)
{
    state& s = *state_;
    return s.make_call(number, message->size(), deadline, now,
                       [&](const frame_header& header, state::payload head) {
                           s.out.add_shared_message(output_queue::lane_of(header.id, true), header,
                                                    head, message, s.frame_bytes());
                       });
}

void conversation::cancel(std::uint64_t id)
{
    state_->give_up(id);
}

conversation::reply_mark conversation::begin_reply(std::uint64_t id)
{
    return {id, state_->out.open_message()};
}

bool conversation::end_reply(reply_mark mark)
{
    state& s = *state_;
    if (s.is_sealed) [[unlikely]] {
        s.out.drop_message();
        return true;
    }
    if (s.out.open_message_bytes() > s.peer.message_bytes_max) [[unlikely]] {
        s.out.drop_message();
        return false;
    }
    bool is_written = false;
    const auto write = [&] {
        s.out.finish_message(output_queue::lane_of(mark.id, false),
                             {0, frame_kind::reply, 0, 0, mark.id}, s.frame_bytes());
        is_written = true;
    };
    try {
        s.answer(mark.id, write);
    }
    catch (...) {
        s.out.drop_message();
        throw;
    }
    if (!is_written) [[unlikely]]
        s.out.drop_message();
    return true;
}

void conversation::abandon_reply(reply_mark) noexcept
{
    state_->out.drop_message();
}

void conversation::reply_error(std::uint64_t id, errc code, std::string_view text,
                               std::chrono::milliseconds retry_after)
{
    state_->answer(id, [&] { state_->write_error(id, code, text, retry_after); });
}

bool conversation::can_send(std::uint64_t id, flow which) const noexcept
{
    const bool is_ours = which == flow::upload;
    return state_->is_sending(id, is_ours) && state_->has_credit(id, is_ours);
}

void conversation::send_item(std::uint64_t id, flow which, std::span<const std::byte> message)
{
    state_->send_item(id, which == flow::upload, message);
}

void conversation::end_upload(std::uint64_t id)
{
    state_->end_upload(id);
}

void conversation::consumed(std::uint64_t id, flow which, std::size_t bytes)
{
    state_->consumed(id, which == flow::reply, bytes);
}

void conversation::ping(std::uint64_t token)
{
    if (!state_->is_sealed)
        store_le(state_->out.add_frame({8, frame_kind::ping}), token);
}

void conversation::go_away(errc code, std::string_view text)
{
    if (!state_->goaway_sent && !state_->is_sealed)
        state_->write_goaway(code, text);
}

bool conversation::is_open() const noexcept
{
    return state_->is_open;
}

bool conversation::has_ended() const noexcept
{
    return state_->has_ended;
}

std::uint32_t conversation::calls_in_flight() const noexcept
{
    return static_cast<std::uint32_t>(state_->peer_calls.size());
}

std::size_t conversation::own_calls_in_flight() const noexcept
{
    return state_->own_calls.size();
}

const hello& conversation::peer() const noexcept
{
    return state_->peer;
}

std::size_t conversation::buffered_bytes() const noexcept
{
    return state_->in.capacity() + state_->partial_calls.capacity() +
           state_->partial_replies.capacity() + state_->finished.capacity();
}

} // namespace wharf
