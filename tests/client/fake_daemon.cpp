// The daemon of the client's tests.
#include "fake_daemon.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>

namespace fake {

namespace asio = boost::asio;

namespace {
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
}

void session::close()
{
    boost::system::error_code ignored;
    stream.close(ignored);
}

daemon::daemon(const wharf::endpoint& where, std::map<std::string, handler> handlers)
    : daemon(where, std::move(handlers), options{})
{}

daemon::daemon(const wharf::endpoint& where, std::map<std::string, handler> handlers, options how)
    : acceptor_(wharf::open_listener(context_.get_executor(), where)),
      endpoint_(to_string(wharf::bound_endpoint(acceptor_))),
      handlers_(std::move(handlers)),
      options_(std::move(how))
{
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
}

void daemon::stop()
{
    if (!thread_.joinable())
        return;
    asio::dispatch(context_, [this] {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        for (auto& each : sessions_)
            each->close();
    });
    thread_.join();
    sessions_.clear();
}

void daemon::run(const std::function<void(std::vector<std::shared_ptr<session>>&)>& f)
{
    std::promise<void> done;
    asio::dispatch(context_, [&] {
        f(sessions_);
        for (auto& each : sessions_)
            asio::co_spawn(
                context_,
                [](daemon& self, std::shared_ptr<session> with) -> asio::awaitable<void> {
                    co_await self.send(with);
                }(*this, each),
                asio::detached);
        done.set_value();
    });
    done.get_future().wait();
}

void daemon::close_connections()
{
    run([](auto& sessions) {
        for (auto& each : sessions)
            each->close();
    });
}

asio::awaitable<void> daemon::accept()
{
    for (;;) {
        auto [ec, stream] = co_await acceptor_.async_accept(as_result);
        if (ec)
            co_return;
        ++accepted_;
        auto with = std::make_shared<session>(std::move(stream), options_.limits);
        sessions_.push_back(with);
        if (options_.on_accept)
            options_.on_accept(*with);
        asio::co_spawn(context_, serve(with), asio::detached);
    }
}

asio::awaitable<bool> daemon::send(std::shared_ptr<session> with)
{
    if (with->sending)
        co_return with->stream.is_open();
    with->sending = true;
    while (with->stream.is_open() && !with->talk.unsent().empty()) {
        const auto bytes = with->talk.unsent();
        auto [ec, n] = co_await with->stream.async_write_some(
            asio::buffer(bytes.data(), bytes.size()), as_result);
        if (ec)
            co_return false;
        with->talk.sent(n);
    }
    with->sending = false;
    co_return with->stream.is_open();
}

asio::awaitable<void> daemon::serve(std::shared_ptr<session> with)
{
    bool alive = co_await send(with);
    while (alive) {
        const auto room = with->talk.prepare();
        auto [ec, n] = co_await with->stream.async_read_some(asio::buffer(room.data(), room.size()),
                                                             as_result);
        if (ec)
            break;
        ++receives_;
        with->talk.commit(n);
        for (;;) {
            const wharf::event what = with->talk.next();
            if (auto* name = std::get_if<wharf::events::declared>(&what)) {
                with->names.emplace_back(name->name);
                if (name->classes && options_.on_classes)
                    options_.on_classes(*with, *name);
                else if (name->classes) // what is uploaded waits for the answer
                    with->talk.tell_versions(name->number, {});
            }
            else if (auto* call = std::get_if<wharf::events::called>(&what)) {
                const auto known = handlers_.find(with->names.at(call->number));
                if (known == handlers_.end())
                    with->talk.reply_error(call->id, wharf::errc::unknown_command,
                                           "no such command");
                else
                    known->second(*with, {call->id, call->timeout, call->message});
            }
            else if (std::holds_alternative<wharf::events::opened>(what)) {
                if (options_.on_open)
                    options_.on_open(*with);
            }
            else if (std::holds_alternative<wharf::events::ended>(what)) {
                alive = false;
                break;
            }
            else if (std::holds_alternative<wharf::events::nothing>(what))
                break;
            else if (options_.on_event)
                options_.on_event(*with, what);
            if (!with->stream.is_open())
                break;
        }
        alive = co_await send(with) && alive;
    }
    with->close();
    std::erase(sessions_, with);
}

directory::directory()
{
    std::string path = std::filesystem::temp_directory_path() / "wharf-client-XXXXXX";
    if (!::mkdtemp(path.data()))
        throw std::runtime_error("no temporary directory");
    path_ = path;
}

directory::~directory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

wharf::endpoint directory::socket(const std::string& name) const
{
    return wharf::unix_endpoint{path_ + "/" + name};
}

} // namespace fake
