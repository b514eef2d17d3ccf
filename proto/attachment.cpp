// Who keeps the bytes of an attachment in memory, and when a load shares those of its message.
#include <wharf/attachment.hpp>

#include <wharf/archive/load_archive.hpp>
#include <wharf/conversation.hpp>
#include <wharf/detail/message_owner.hpp>

#include <cstring>

namespace wharf {

attachment attachment::copy_of(std::span<const std::byte> bytes)
{
    if (bytes.empty())
        return {};
    const auto copy = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    return {{copy.get(), bytes.size()}, copy};
}

namespace detail {

attachment message_owner::share(std::span<const std::byte> part)
{
    if (part.size() < shared_bytes_min || part.size() < view().size() / 2 || !has(part))
        return {};
    // Of memory that served a larger message before, and was kept.
    if (part.size() < capacity() / 4) {
        copied_ += part.size();
        return attachment::copy_of(part);
    }
    if (!shared_) {
        auto made = std::make_shared<byte_buffer>();
        *made = std::move(own_);
        shared_ = std::move(made);
    }
    return {part, shared_};
}

message_owner take_message(conversation& from, std::span<const std::byte> message)
{
    if (message_owner* owner = from.owner_of(message))
        return std::move(*owner);
    byte_buffer copy;
    copy.append(message);
    return message_owner(std::move(copy));
}

void let_share(load_archive& archive, message_owner* owner)
{
    if (owner != nullptr)
        archive.set_context(*owner);
}

void share_message(const load_state* state, std::span<const std::byte> part, attachment& to)
{
    auto* owner = state == nullptr
                      ? nullptr
                      : static_cast<message_owner*>(state->contexts.find(typeid(message_owner)));
    to = owner == nullptr ? attachment() : owner->share(part);
}

} // namespace detail
} // namespace wharf
