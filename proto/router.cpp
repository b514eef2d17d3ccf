// router: names to handlers, and one call answered whatever its handler does.
#include "frame.hpp"
#include "json_entry.hpp"

#include <wharf/archive/class_entry.hpp>
#include <wharf/detail/answer.hpp>

#include <algorithm>

namespace wharf {

call_options call::options() const noexcept
{
    call_options rest;
    if (deadline_ != time_point::max())
        rest.timeout = std::max<std::chrono::nanoseconds>(
            deadline_ - std::chrono::steady_clock::now(), std::chrono::nanoseconds(0));
    return rest;
}

std::vector<std::string> call::commands() const
{
    std::vector<std::string> all;
    if (facts_->commands != nullptr)
        all = facts_->commands->names();
    std::erase_if(all, [&](const std::string& name) { return !(*session_)->may_call(name); });
    return all;
}

std::vector<std::string> router::names() const
{
    std::vector<std::string> all;
    all.reserve(commands_.size());
    for (const auto& [name, entry] : commands_)
        all.push_back(name);
    return all;
}

namespace {

template <class Entries>
const detail::command_entry* find_in(const Entries& all, std::string_view name) noexcept
{
    const auto found = all.find(name);
    return found == all.end() ? nullptr : &found->second;
}

} // namespace

const detail::command_entry* router::find(std::string_view name) const noexcept
{
    return find_in(commands_, name);
}

router::declaration router::resolve(std::string_view name) const noexcept
{
    const std::string_view in_json = detail::name_called_in_json(name);
    if (in_json.empty())
        return {find(name), name, false};
    return {find_in(in_json_, in_json), in_json, true};
}

void router::add(std::string_view command, const detail::command_types& types, void* handler,
                 void (*delete_handler)(void*), const detail::handler_functions& run)
{
    detail::command_entry entry;
    static_cast<detail::handler_functions&>(entry) = run;
    entry.handler = std::shared_ptr<void>(handler, delete_handler);
    entry.name = command;
    entry.types = &types;
    const bool prints = std::all_of(entry.name.begin(), entry.name.end(),
                                    [](char c) { return c > ' ' && c < 127; });
    if (entry.name.empty() || entry.name.size() > command_name_bytes_max || !prints)
        throw error(errc::bad_argument, "the command name \"" + entry.name +
                                            "\" is not 1 to 127 printable characters without "
                                            "spaces");
    if (!detail::name_called_in_json(entry.name).empty())
        throw error(errc::bad_argument, "the command name \"" + entry.name +
                                            "\" ends with \"+json\", which is how a command is "
                                            "called in JSON");
    // A program says so when it starts, not when a peer first sends such a class.
    if (const std::string conflict = detail::any_key_conflict(); !conflict.empty())
        throw error(errc::bad_argument, conflict + ": give each class a key of its own");
    std::string name = entry.name;
    const auto [place, is_new] = commands_.try_emplace(name, std::move(entry));
    if (!is_new)
        throw error(errc::bad_argument, "the command \"" + name + "\" has two handlers");
    in_json_.emplace(name, detail::make_json_entry(place->second));
    std::uint32_t index = 0;
    for (auto& [each_name, each] : commands_) {
        each.index = index;
        in_json_.find(each_name)->second.index = index++;
    }
}

void router::on_open(std::function<void(const session_handle&)> hook)
{
    open_hooks_.push_back(std::move(hook));
}

void router::on_close(std::function<void(const session_handle&, const error&)> hook)
{
    close_hooks_.push_back(std::move(hook));
}

namespace detail {

void encode_nothing(reply_slot& to)
{
    to.open();
}

call_failure to_failure(const std::exception_ptr& thrown)
{
    call_failure failure;
    try {
        std::rethrow_exception(thrown);
    }
    catch (const error& e) {
        failure.code = e.code();
        failure.text = e.text();
        failure.retry_after = e.retry_after();
    }
    catch (const std::exception& e) {
        failure.cause = e.what();
    }
    catch (...) {
        failure.cause = "not a std::exception";
    }
    return failure;
}

byte_buffer& conversation_slot::open()
{
    mark_ = to_.begin_reply(id_);
    open_ = true;
    return to_.output();
}

awaitable<void> reply_slot::async_room()
{
    co_return;
}

void reply_slot::hold(std::size_t) {}

message_owner* reply_slot::owner_of(message_view) noexcept
{
    return nullptr;
}

std::shared_ptr<stream_channel> reply_slot::channel(bool, bool)
{
    throw error(errc::internal, "this call has no streams");
}

awaitable<void> write_when_room(byte_buffer message, reply_slot& to)
{
    to.hold(message.size());
    co_await to.async_room();
    to.open().append(message.view());
}

message_owner* conversation_slot::owner_of(message_view message) noexcept
{
    return to_.owner_of(message);
}

/// In place of what was written. A reply that streams has no message.
void conversation_slot::store_older()
{
    const auto all = to_.output().view();
    const auto written = all.subspan(std::min(all.size(), mark_.offset + frame_header_bytes));
    if (written.empty())
        return;
    const older_message message = older_->store_reply(written);
    to_.abandon_reply(mark_);
    open();
    to_.output().append(message.bytes.view());
}

bool conversation_slot::complete()
{
    if (older_ != nullptr) [[unlikely]]
        store_older();
    open_ = false;
    if (to_.end_reply(mark_))
        return true;
    to_.reply_error(id_, errc::message_limit, "the reply is larger than the caller accepts");
    return false;
}

void conversation_slot::fail(const call_failure& why)
{
    if (open_)
        to_.abandon_reply(mark_);
    open_ = false;
    to_.reply_error(id_, why.code, why.text, why.retry_after);
}

bool answer_call(const command_entry& entry, message_view arguments, call& current,
                 conversation_slot& to, call_failure& failure)
{
    try {
        entry.answer(entry.handler.get(), arguments, current, to);
        if (to.complete())
            return true;
        failure.code = errc::message_limit;
        return false;
    }
    catch (...) {
        failure = to_failure(std::current_exception());
    }
    to.fail(failure);
    return false;
}

} // namespace detail
} // namespace wharf
