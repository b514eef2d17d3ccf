// listener: the accept loop.
#include "listener.hpp"

#include "admission.hpp"
#include "log_events.hpp"

#include <wharf/conversation.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
/// Connections accepted before other listeners get a turn.
constexpr int accepts_per_turn_max = 64;
/// How long nothing is accepted after the system had no descriptor: what is freed meanwhile is
/// found at the next try, and the loop stays cheap.
constexpr auto exhausted_pause = 100ms;

int open_reserve()
{
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

} // namespace

std::string refusal_bytes(errc code, std::string_view text)
{
    conversation words(side::server, {}, "wharfd", std::chrono::steady_clock::now());
    words.go_away(code, text);
    const auto bytes = words.unsent();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

listener::listener(asio::any_io_executor executor, listener_options options, taker take)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      name_(listener_name(options_)),
      take_(std::move(take)),
      acceptor_(executor_),
      protocol_(AF_UNIX, 0),
      pause_(executor_)
{}

listener::~listener()
{
    close();
    if (reserve_ >= 0)
        ::close(reserve_);
}

void listener::open()
{
    listen_settings settings;
    settings.backlog = options_.backlog;
    settings.ipv6_only = options_.ipv6_only;
    settings.unix_mode = options_.unix_mode;
    settings.unix_group = options_.unix_group;
    acceptor_ = open_listener(executor_, options_.where, settings);
    where_ = bound_endpoint(acceptor_);
    error_code ignored;
    acceptor_.non_blocking(true, ignored);
    const auto local = acceptor_.local_endpoint(ignored);
    protocol_ = asio::generic::stream_protocol(local.protocol().family(), 0);
    const auto* asked = std::get_if<unix_endpoint>(&options_.where);
    struct stat file {};
    if (asked != nullptr && !asked->abstract && ::lstat(asked->path.c_str(), &file) == 0) {
        path_device_ = file.st_dev;
        path_inode_ = file.st_ino;
    }
    reserve_ = open_reserve();
}

void listener::start()
{
    asio::co_spawn(
        executor_, [this] { return run(); },
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            if (thrown)
                log::write(log::level::critical, log::listener_stopped,
                           "listener " + self->name_ + " stopped: out of memory");
        });
}

void listener::close()
{
    if (!acceptor_.is_open())
        return;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    remove_path();
}

/// A path that another daemon has bound meanwhile is not ours to remove.
void listener::remove_path()
{
    const auto* ours = std::get_if<unix_endpoint>(&options_.where);
    struct stat file {};
    if (ours == nullptr || path_inode_ == 0 || ::lstat(ours->path.c_str(), &file) != 0)
        return;
    if (file.st_dev == path_device_ && file.st_ino == path_inode_)
        ::unlink(ours->path.c_str());
}

asio::awaitable<void> listener::run()
{
    while (acceptor_.is_open()) {
        const auto [failed] =
            co_await acceptor_.async_wait(transport_acceptor::wait_read, no_throw);
        outcome last = failed ? outcome::failed : outcome::accepted;
        for (int i = 0; !failed && i < accepts_per_turn_max && acceptor_.is_open(); ++i) {
            last = accept_one();
            if (last != outcome::accepted && last != outcome::try_again)
                break;
        }
        if ((last != outcome::exhausted && last != outcome::failed) || !acceptor_.is_open())
            continue;
        if (last == outcome::exhausted)
            shed_one();
        pause_.expires_after(exhausted_pause);
        co_await pause_.async_wait(no_throw);
    }
}

listener::outcome listener::accept_one()
{
    const int fd =
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        accepted_.fetch_add(1, std::memory_order_relaxed);
        take_(*this, fd);
        return outcome::accepted;
    }
    const int number = errno;
    switch (number) {
    case EAGAIN: return outcome::nothing_waits;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        exhausted_.fetch_add(1, std::memory_order_relaxed);
        log_trouble(std::string("no connection can be accepted now: ") + std::strerror(number));
        return outcome::exhausted;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        log_trouble(std::string("cannot accept: ") + std::strerror(number));
        return outcome::failed;
    default: return outcome::try_again; // the peer is gone already, or a network error of its own
    }
}

/// Tells one waiting peer by the descriptor kept for it; the others wait in the system's queue.
void listener::shed_one()
{
    if (reserve_ >= 0)
        ::close(reserve_);
    const int fd =
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        const std::string words = refusal_bytes(errc::overloaded, "no descriptor is left");
        [[maybe_unused]] const auto sent = ::send(fd, words.data(), words.size(), MSG_NOSIGNAL);
        ::close(fd);
    }
    reserve_ = open_reserve();
}

void listener::log_trouble(const std::string& what)
{
    const auto now = std::chrono::steady_clock::now();
    if (last_log_ != std::chrono::steady_clock::time_point{} && now - last_log_ < 1s)
        return;
    last_log_ = now;
    log::write(log::level::warning, log::listener_trouble, "listener " + name_ + ": " + what);
}

} // namespace wharf
