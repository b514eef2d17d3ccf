// Calls in JSON: argument, reply and items go through the schemas of the command.
#include "json_entry.hpp"

#include <wharf/detail/command_schemas.hpp>
#include <wharf/detail/stream_channel.hpp>
#include <wharf/json.hpp>

#include <vector>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace wharf::detail {

namespace {

std::string_view as_text(std::span<const std::byte> bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Text>
void append(byte_buffer& to, const Text& text)
{
    to.append(text.data(), text.size());
}

/// Translates the items of a call.
class json_items final : public item_translation {
public:
    json_items(const command_schemas& types, const limits& bounds) : types_(types), bounds_(bounds)
    {}
    byte_buffer incoming(std::span<const std::byte> item) const override
    {
        byte_buffer bytes;
        append(bytes, from_json(*types_.upload, as_text(item), bounds_));
        return bytes;
    }
    byte_buffer outgoing(std::span<const std::byte> item) const override
    {
        byte_buffer text;
        append(text, to_json(*types_.items, item, bounds_));
        return text;
    }

private:
    const command_schemas& types_;
    const limits bounds_;
};

/// Keeps the handler's reply until it is translated.
class json_slot final : public reply_slot {
public:
    json_slot(reply_slot& outer, const command_schemas& types) : outer_(outer), types_(types) {}
    const limits& bounds() const noexcept override { return outer_.bounds(); }
    byte_buffer& open() override
    {
        bytes_.clear();
        return bytes_;
    }
    std::shared_ptr<stream_channel> channel(bool receives, bool sends) override
    {
        const auto made = outer_.channel(receives, sends);
        made->translate(std::make_shared<json_items>(types_, outer_.bounds()));
        return made;
    }
    void hold(std::size_t bytes) override { outer_.hold(bytes); }

    /// The reply in JSON.
    std::string text() const
    {
        if (types_.items != nullptr)
            return {};
        if (types_.reply == &schema_of_nothing())
            return "null";
        return to_json(*types_.reply, bytes_.view(), outer_.bounds());
    }

private:
    reply_slot& outer_;
    const command_schemas& types_;
    byte_buffer bytes_;
};

void check(const schema& what, const char* part)
{
    if (!what.is_walkable())
        throw error(errc::unsupported_json,
                    std::string(part) + " has no schema: " + what.opaque_reason());
}

/// Before the handler runs: what cannot be answered is not begun.
const command_schemas& checked_schemas(const command_entry& of)
{
    const command_schemas& types = schemas_of(*of.types);
    check(*types.argument, "its argument");
    check(*types.reply, "its reply");
    if (types.items != nullptr)
        check(*types.items, "what it streams");
    if (types.upload != nullptr)
        check(*types.upload, "its upload");
    return types;
}

std::vector<std::byte> load_argument(const command_schemas& types, message_view text,
                                     const limits& bounds)
{
    return from_json(*types.argument, as_text(text), bounds, {}, types.default_argument.view());
}

void answer_json(void* handler, message_view arguments, call& current, reply_slot& to)
{
    const auto& of = *static_cast<const command_entry*>(handler);
    const command_schemas& types = checked_schemas(of);
    const std::vector<std::byte> bytes = load_argument(types, arguments, to.bounds());
    json_slot slot(to, types);
    of.answer(of.handler.get(), bytes, current, slot);
    const std::string text = slot.text();
    append(to.open(), text);
}

awaitable<void> run_json(const command_entry& of, const command_schemas& types,
                         std::vector<std::byte> bytes, call& current, reply_slot& to)
{
    json_slot slot(to, types);
    // Named before it is awaited: g++ 12 destroys temporaries of a co_await twice.
    auto pending = of.start(of.handler.get(), bytes, current, slot);
    bytes = {};
    co_await std::move(pending);
    byte_buffer text;
    append(text, slot.text());
    auto writing = write_when_room(std::move(text), to);
    co_await std::move(writing);
}

awaitable<void> start_json(void* handler, message_view arguments, call& current, reply_slot& to)
{
    const auto& of = *static_cast<const command_entry*>(handler);
    const command_schemas& types = checked_schemas(of);
    std::vector<std::byte> bytes = load_argument(types, arguments, to.bounds());
    to.hold(bytes.size());
    return run_json(of, types, std::move(bytes), current, to);
}

} // namespace

command_entry make_json_entry(const command_entry& of)
{
    command_entry made;
    made.name = of.name;
    made.index = of.index;
    made.is_blocking = of.is_blocking;
    made.is_stream = of.is_stream;
    made.types = of.types;
    // Not owned: it stands in the same router.
    made.handler = std::shared_ptr<void>(std::shared_ptr<void>(), const_cast<command_entry*>(&of));
    if (of.start != nullptr)
        made.start = &start_json;
    if (of.answer != nullptr)
        made.answer = &answer_json;
    return made;
}

std::string_view name_called_in_json(std::string_view name) noexcept
{
    if (!name.ends_with(json_suffix))
        return {};
    return name.substr(0, name.size() - json_suffix.size());
}

} // namespace wharf::detail
