// The exchange of class versions, as the ends of a connection have it.
#include <wharf/detail/peer_versions.hpp>

#include <wharf/detail/stream_channel.hpp>

#include <algorithm>

namespace wharf::detail {
namespace {

bool has_upload(const command_types& types) noexcept
{
    return types.upload != nullptr;
}

} // namespace

std::uint16_t peer_versions::declare_first(conversation& talk, const encoded_call& what)
{
    if (what.types == nullptr || talk.peer().classes_max == 0)
        return talk.declare(what.name);
    const std::uint16_t number = talk.declare(what.name, classes_of(*what.types));
    if (!talk.is_told(number))
        return number;
    if (told_ == nullptr)
        told_ = std::make_unique<std::vector<told>>();
    if (told_->size() <= number)
        told_->resize(number + 1u);
    (*told_)[number] = {what.types, nullptr, has_upload(*what.types)};
    return number;
}

const peer_versions::told* peer_versions::find(std::uint16_t number,
                                               const encoded_call& what) const noexcept
{
    if (told_ == nullptr || number >= told_->size() || what.types == nullptr)
        return nullptr;
    const told& found = (*told_)[number];
    return found.types == what.types ? &found : nullptr;
}

std::uint64_t peer_versions::send(conversation& talk, std::uint16_t number,
                                  const encoded_call& what,
                                  std::chrono::steady_clock::time_point now) const
{
    const told* known = find(number, what);
    if (known == nullptr || known->older == nullptr) [[likely]]
        return send_call(talk, number, what, now);
    const older_message message = known->older->store_argument(what.message.view());
    return talk.call(number, message.bytes.view(), deadline_to_tell(what), now);
}

void peer_versions::prepare(stream_channel& channel, std::uint16_t number,
                            const encoded_call& what) const
{
    const told* known = find(number, what);
    if (known == nullptr || !has_upload(*what.types))
        return;
    channel.hold_back(known->is_awaited);
    if (known->older != nullptr)
        channel.translate(known->older->uploads());
}

void peer_versions::on_versions(const events::versions& said)
{
    if (told_ == nullptr || said.number >= told_->size() || (*told_)[said.number].types == nullptr)
        return;
    told& known = (*told_)[said.number];
    known.is_awaited = false;
    known.older = step_down::make(*known.types, said.classes);
}

bool peer_versions::is_refused(const events::versions& said, const call_record& sent) const
{
    const told* known = find(said.number, sent.call());
    if (known == nullptr)
        return false;
    bool is_refused = false;
    if (known->older != nullptr) {
        try {
            is_refused = known->older->store_argument(sent.call().message.view()).is_older;
        }
        catch (const error&) {
            // What cannot be stored for this peer is refused by it, and once more by send().
            is_refused = true;
        }
    }
    stream_channel* channel = sent.channel().get();
    if (channel == nullptr || is_refused || !has_upload(*known->types))
        return is_refused;
    if (known->older != nullptr)
        channel->translate(known->older->uploads());
    channel->go_on();
    return false;
}

std::unique_ptr<const step_down> answer_declaration(conversation& talk, const events::declared& e,
                                                    const command_types* ours)
{
    if (!e.classes || ours == nullptr)
        return nullptr;
    // The list is in the conversation's buffer: it is compared before anything is written.
    std::unique_ptr<const step_down> older = step_down::make(*ours, *e.classes);
    const std::span<const std::byte> classes = classes_of(*ours);
    if (has_upload(*ours) || !std::ranges::equal(classes, *e.classes))
        talk.tell_versions(e.number, classes);
    return older;
}

} // namespace wharf::detail
