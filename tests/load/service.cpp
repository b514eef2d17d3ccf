// Handlers of every form, as far as possible without any work of their own.
#include "service.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stress {

namespace asio = boost::asio;

namespace {

/// Later replies overtake earlier ones: how often it lets others run is told by the token.
wharf::awaitable<answer> take_turns(ask_later question, wharf::call& current)
{
    for (std::uint64_t left = mix(question.token) % 5; left != 0; --left)
        co_await asio::post(current.get_executor(), asio::use_awaitable);
    co_return answer_to(question);
}

wharf::awaitable<void> send_items(download what, wharf::call&, wharf::sink<chunk>& out)
{
    chunk next;
    for (std::uint64_t i = 0; i != what.items; ++i) {
        fill_chunk(next, i, what.bytes);
        co_await out.async_send(next);
    }
}

wharf::awaitable<received> receive_items(upload_all, wharf::call&, wharf::source<chunk>& in)
{
    received all;
    while (const std::optional<chunk> next = co_await in.async_next()) {
        all.wrong += !is_right(*next, all.items);
        ++all.items;
        all.bytes += next->bytes.size();
    }
    co_return all;
}

} // namespace

void fill_chunk(chunk& c, std::uint64_t offset, std::size_t bytes)
{
    c.offset = offset;
    c.bytes.resize(bytes);
    for (std::size_t i = 0; i < bytes; i += 512)
        c.bytes[i] = static_cast<char>(mix(offset + i));
}

bool is_right(const chunk& c, std::uint64_t offset)
{
    for (std::size_t i = 0; i < c.bytes.size(); i += 512)
        if (c.bytes[i] != static_cast<char>(mix(offset + i)))
            return false;
    return c.offset == offset;
}

wharf::awaitable<void> service::wait_for_cancel(wharf::call& current)
{
    asio::steady_timer never(current.get_executor(), clock::time_point::max());
    wharf::error_code ended;
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    const auto now = clock::now().time_since_epoch();
    const std::lock_guard lock(mutex_);
    ++cancels_.count;
    cancels_.last_ns = std::chrono::nanoseconds(now).count();
}

void service::serve(wharf::router& commands)
{
    commands.on<ask>([](const ask& question) { return answer_to(question); });
    commands.on<ask_later>(take_turns);
    commands.on<ask_blocking>(wharf::blocking,
                              [](const ask_blocking& question) { return answer_to(question); });
    commands.on<hold>([this](hold, wharf::call& current) { return wait_for_cancel(current); });
    commands.on<download>(send_items);
    commands.on<upload_all>(receive_items);
    commands.on<ask_cancels>([this](const ask_cancels&) {
        const std::lock_guard lock(mutex_);
        return cancels_;
    });
    commands.on<fill>([](const fill& wanted) { return std::string(wanted.bytes, 'x'); });
    commands.on<ask_levels>([this](const ask_levels&) {
        const wharf::server_status now = server_.status();
        return levels{now.sessions, now.sessions_total, now.calls, own_socket_memory()};
    });
}

} // namespace stress
