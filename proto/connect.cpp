// Connecting: names by a detached resolver, addresses raced after RFC 8305, unix paths, inherited
// sockets; one deadline over all of it.
#include "connect.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

namespace wharf {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using generic = asio::generic::stream_protocol;

transport adopt_stream(const asio::any_io_executor& executor, unique_fd fd, int family)
{
    transport stream(executor, generic(family, 0), fd.get());
    fd.release();
    stream.non_blocking(true);
    return stream;
}

std::string words_of(int number)
{
    char words[128];
    return ::strerror_r(number, words, sizeof words);
}

// Waits until the timer expires or is cancelled; throws when the caller's wait was cancelled.
asio::awaitable<void> wait_on(asio::steady_timer& timer, const std::string& name)
{
    error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw error(errc::cancelled, "connecting to " + name);
}

// ---- Look-up ------------------------------------------------------------------------------------

// Shared between the coroutine that waits and the resolver's thread. The thread may outlive the
// io_context: it touches the executor only under the lock, and only while somebody waits.
struct pending_lookup {
    std::mutex mutex;
    std::optional<asio::any_io_executor> executor;
    std::optional<resolution> result;
    asio::steady_timer* wake = nullptr; // used on the executor only
};

void finish_lookup(const std::shared_ptr<pending_lookup>& pending, resolution found)
{
    std::lock_guard lock(pending->mutex);
    if (!pending->executor)
        return;
    pending->result = std::move(found);
    asio::post(*pending->executor, [pending] {
        if (pending->wake != nullptr)
            pending->wake->cancel();
    });
}

class lookup_guard {
public:
    explicit lookup_guard(std::shared_ptr<pending_lookup> pending) : pending_(std::move(pending)) {}
    lookup_guard(const lookup_guard&) = delete;
    ~lookup_guard()
    {
        std::lock_guard lock(pending_->mutex);
        pending_->executor.reset();
        pending_->wake = nullptr;
    }

private:
    std::shared_ptr<pending_lookup> pending_;
};

asio::awaitable<resolution> resolve(const tcp_endpoint& e, const std::string& name,
                                    clock::time_point deadline, const connect_settings& settings)
{
    asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer wake(executor);
    auto pending = std::make_shared<pending_lookup>();
    pending->executor = executor;
    pending->wake = &wake;
    lookup_guard guard(pending);
    std::function<void(resolution)> done = [pending](resolution found) {
        finish_lookup(pending, std::move(found));
    };
    if (!start_lookup(settings.look, e.host, e.port, std::move(done)))
        throw error(errc::host_not_found, name + ": too many name look-ups are stuck");
    for (;;) {
        {
            std::lock_guard lock(pending->mutex);
            if (pending->result)
                co_return std::move(*pending->result);
        }
        if (clock::now() >= deadline)
            throw error(errc::deadline_exceeded, "looking up " + name);
        wake.expires_at(deadline);
        asio::awaitable<void> waiting = wait_on(wake, name);
        co_await std::move(waiting);
    }
}

// ---- TCP ----------------------------------------------------------------------------------------

struct attempt {
    attempt(const asio::any_io_executor& executor, const socket_address& target)
        : to(target), stream(executor)
    {}
    socket_address to;
    transport stream;
    bool done = false;
    int failure = 0; // errno
};

int bind_from(int fd, const std::optional<socket_address>& from)
{
    if (!from)
        return 0;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"); // the caller holds it bound too
    return ::bind(fd, from->get(), from->size) == 0 ? 0 : errno;
}

// The attempts that run at the same time. Handlers hold it weakly: destroying it closes all.
struct race : std::enable_shared_from_this<race> {
    explicit race(const asio::any_io_executor& executor) : wake(executor) {}

    void start(const socket_address& to, const std::optional<socket_address>& from)
    {
        auto& a = *attempts.emplace_back(std::make_unique<attempt>(wake.get_executor(), to));
        // Opened here: Asio would open it without CLOEXEC.
        unique_fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        a.failure = !fd ? errno : is_any_address(to) ? EADDRNOTAVAIL : bind_from(fd.get(), from);
        if (a.failure != 0) {
            a.done = true;
            return;
        }
        a.stream = adopt_stream(wake.get_executor(), std::move(fd), to.family());
        generic::endpoint target(to.get(), to.size);
        a.stream.async_connect(target, [weak = weak_from_this(), &a](const error_code& ec) {
            auto self = weak.lock();
            if (!self)
                return;
            a.done = true;
            a.failure = ec.value();
            if (!ec && is_self_connected(a.stream.native_handle()))
                a.failure = ECONNREFUSED;
            if (a.failure != 0)
                a.stream.close();
            self->wake.cancel();
        });
    }

    attempt* winner() const
    {
        for (auto& a : attempts)
            if (a->done && a->failure == 0)
                return a.get();
        return nullptr;
    }

    bool all_done() const
    {
        return std::all_of(attempts.begin(), attempts.end(), [](auto& a) { return a->done; });
    }

    // Of several failures the most telling one gives the code; the text has them all.
    [[noreturn]] void fail(const std::string& name) const
    {
        errc code = errc_from_connect(attempts.front()->failure);
        for (errc telling : {errc::connection_refused, errc::access_denied, errc::unreachable})
            if (std::any_of(attempts.begin(), attempts.end(),
                            [&](auto& a) { return errc_from_connect(a->failure) == telling; })) {
                code = telling;
                break;
            }
        std::string text = "cannot connect to " + name + ": ";
        for (auto& a : attempts) {
            if (attempts.size() > 1)
                text += (a == attempts.front() ? "" : ", ") + to_string(a->to) + " ";
            text += words_of(a->failure);
        }
        throw error(code, std::move(text));
    }

    asio::steady_timer wake;
    std::vector<std::unique_ptr<attempt>> attempts;
};

asio::awaitable<transport> connect_addresses(const std::vector<socket_address>& addresses,
                                             const std::string& name, clock::time_point deadline,
                                             const connect_settings& settings)
{
    asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto running = std::make_shared<race>(executor);
    std::size_t next = 0;
    clock::time_point next_start{};
    for (;;) {
        if (attempt* won = running->winner())
            co_return std::move(won->stream);
        clock::time_point now = clock::now();
        if (now >= deadline)
            throw error(errc::deadline_exceeded, "connecting to " + name);
        bool more = next < addresses.size();
        if (running->all_done() && !more)
            running->fail(name);
        if (more && (running->all_done() || now >= next_start)) {
            running->start(addresses[next++], settings.from);
            next_start = now + settings.attempt_delay;
            continue;
        }
        running->wake.expires_at(more ? std::min(next_start, deadline) : deadline);
        asio::awaitable<void> waiting = wait_on(running->wake, name);
        co_await std::move(waiting);
    }
}

asio::awaitable<transport> connect_tcp(const tcp_endpoint& e, const std::string& name,
                                       clock::time_point deadline, const tcp_options& options,
                                       const connect_settings& settings)
{
    if (e.port == 0)
        throw error(errc::bad_endpoint, name + ": port 0 is none to connect to");
    std::vector<socket_address> addresses;
    if (auto numeric = numeric_address(e)) {
        check_target(*numeric, name);
        addresses.push_back(*numeric);
    }
    else {
        asio::awaitable<resolution> asking = resolve(e, name, deadline, settings);
        resolution found = co_await std::move(asking);
        if (found.addresses.empty())
            throw error(found.code, name + ": " + found.text);
        if (found.addresses.size() > addresses_max)
            found.addresses.resize(addresses_max);
        addresses = std::move(found.addresses);
    }
    asio::awaitable<transport> connecting = connect_addresses(addresses, name, deadline, settings);
    transport stream = co_await std::move(connecting);
    apply(stream, options);
    co_return stream;
}

// ---- Unix ---------------------------------------------------------------------------------------

// Asio's own connect takes EAGAIN, a full queue of the listener, for progress and then for success.
// No event tells that there is room again, so this asks again, ever more rarely.
asio::awaitable<transport> connect_unix(const unix_endpoint& e, const std::string& name,
                                        clock::time_point deadline)
{
    asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer wake(executor);
    socket_address to = unix_address(e);
    unique_fd fd = open_stream(AF_UNIX, name);
    std::chrono::milliseconds pause{2};
    while (::connect(fd.get(), to.get(), to.size) != 0) {
        if (errno != EAGAIN)
            throw error(errc_from_connect(errno),
                        "cannot connect to " + name + ": " + words_of(errno));
        clock::time_point now = clock::now();
        if (now >= deadline)
            throw error(errc::deadline_exceeded,
                        "connecting to " + name + ", whose queue of connections is full");
        wake.expires_at(std::min(now + pause, deadline));
        pause = std::min(pause * 2, std::chrono::milliseconds(100));
        asio::awaitable<void> waiting = wait_on(wake, name);
        co_await std::move(waiting);
    }
    co_return adopt_stream(executor, std::move(fd), AF_UNIX);
}

asio::awaitable<void> connect_into(std::optional<transport>& out, const endpoint& where,
                                   clock::time_point deadline, const connect_settings& settings)
{
    asio::awaitable<transport> connecting = async_connect(where, deadline, tcp_options(), settings);
    out.emplace(co_await std::move(connecting));
}

} // namespace

errc errc_from_connect(int number) noexcept
{
    switch (number) {
    case ENOENT: return errc::connection_refused;   // no such path: nobody listens
    case ETIMEDOUT: return errc::deadline_exceeded; // the system's own limit
    case EADDRNOTAVAIL:                             // no local address leads there
    case EAFNOSUPPORT: return errc::unreachable;    // a kernel without this family
    case EINVAL: return errc::bad_endpoint;         // a link-local address without its scope
    case EPROTOTYPE: return errc::bad_endpoint;     // a datagram socket's path
    default: return errc_from_errno(number);
    }
}

void check_target(const socket_address& target, const std::string& name)
{
    if (is_any_address(target))
        throw error(errc::bad_endpoint, name + ": names all addresses of a machine, which is no "
                                               "place to connect to; this machine is 127.0.0.1 or "
                                               "[::1]");
}

bool is_self_connected(int fd) noexcept
{
    socket_address here = local_name(fd), there = remote_name(fd);
    return here.family() != AF_UNIX && here.size == there.size &&
           std::memcmp(&here.storage, &there.storage, here.size) == 0;
}

asio::awaitable<transport> async_connect(endpoint where, clock::time_point deadline,
                                         tcp_options options, const connect_settings& settings)
{
    std::string name = to_string(where);
    if (auto* tcp = std::get_if<tcp_endpoint>(&where)) {
        asio::awaitable<transport> connecting =
            connect_tcp(*tcp, name, deadline, options, settings);
        co_return co_await std::move(connecting);
    }
    if (auto* local = std::get_if<unix_endpoint>(&where)) {
        asio::awaitable<transport> connecting = connect_unix(*local, name, deadline);
        co_return co_await std::move(connecting);
    }
    asio::any_io_executor executor = co_await asio::this_coro::executor;
    unique_fd fd = adopt(std::get<fd_endpoint>(where), false);
    int family = get_option(fd.get(), SOL_SOCKET, SO_DOMAIN);
    apply_options(fd.get(), options);
    co_return adopt_stream(executor, std::move(fd), family);
}

asio::awaitable<transport> async_connect(endpoint where, clock::time_point deadline,
                                         tcp_options options)
{
    const connect_settings settings;
    asio::awaitable<transport> connecting =
        async_connect(std::move(where), deadline, options, settings);
    co_return co_await std::move(connecting);
}

unique_fd connect_stream(const endpoint& where, clock::time_point deadline,
                         const connect_settings& settings)
{
    asio::io_context context(1);
    std::optional<transport> connected;
    std::exception_ptr failure;
    asio::co_spawn(context, connect_into(connected, where, deadline, settings),
                   [&](std::exception_ptr e) { failure = std::move(e); });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return unique_fd(connected->release());
}

} // namespace wharf
