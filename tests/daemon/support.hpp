// A small blocking peer for the server's tests: a conversation over a plain socket.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/conversation.hpp>
#include <wharf/server.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace wharf::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// No test waits longer for anything that must come.
constexpr auto patience = 20s;

struct add {
    using reply = std::int64_t;
    static constexpr std::string_view name = "calculator.add";
    std::int64_t a{}, b{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b;
    }
};

struct echo {
    using reply = std::string;
    static constexpr std::string_view name = "test.echo";
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
};

/// Answers with as many bytes as it is asked for.
struct fill {
    using reply = std::string;
    static constexpr std::string_view name = "test.fill";
    std::uint64_t bytes{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& bytes;
    }
};

/// A command that the handler may treat as it likes.
struct poke {
    using reply = void;
    static constexpr std::string_view name = "test.poke";
    std::uint32_t how{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& how;
    }
};

/// A descriptor with an owner.
class owned_fd {
public:
    explicit owned_fd(int fd = -1) noexcept : fd_(fd) {}
    owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    owned_fd& operator=(owned_fd&& other) noexcept
    {
        reset();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~owned_fd() { reset(); }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept
    {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }

private:
    int fd_;
};

/// Connects, blocking, to where a server really listens. Empty where it is refused.
inline owned_fd connect_to(const endpoint& where)
{
    if (const auto* tcp = std::get_if<tcp_endpoint>(&where)) {
        owned_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(tcp->port);
        ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            return owned_fd();
        return fd;
    }
    const auto& path = std::get<unix_endpoint>(where).path;
    owned_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return owned_fd();
    return fd;
}

/// Waits until the descriptor is ready for `events`; false when the time is over.
inline bool wait_ready(int fd, short events, clock::time_point until)
{
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
        pollfd p{fd, events, 0};
        const int n = ::poll(&p, 1, static_cast<int>(std::max<long long>(left, 0)));
        if (n > 0)
            return true;
        if (n == 0)
            return false;
        if (errno != EINTR)
            throw std::runtime_error("poll failed");
    }
}

template <class C>
byte_buffer encode(const C& command)
{
    byte_buffer bytes;
    store_archive out(bytes);
    out << command;
    out.flush();
    return bytes;
}

/// What answered a call.
struct answer {
    std::uint64_t id = 0;
    std::optional<errc> failed;
    std::string text;
    std::vector<std::byte> message;
    std::chrono::milliseconds retry_after{};

    template <class Reply>
    Reply as() const
    {
        if (failed)
            throw error(*failed, text);
        Reply value{};
        load_archive in(std::span(message.data(), message.size()));
        in >> value;
        in.finish();
        return value;
    }
};

/// One connection to a server, used by one thread.
class peer {
public:
    explicit peer(owned_fd fd, const conversation_limits& limits = {})
        : fd_(std::move(fd)), words_(side::client, limits, "test", clock::now())
    {
        if (fd_.get() < 0)
            throw std::runtime_error("not connected");
    }
    explicit peer(const endpoint& where) : peer(connect_to(where)) {}

    int fd() const noexcept { return fd_.get(); }
    conversation& words() noexcept { return words_; }
    /// Takes the descriptor, for a test that speaks other bytes.
    owned_fd take() noexcept { return std::move(fd_); }

    /// Sends whatever the conversation has to say, in as few writes as the socket takes.
    void flush()
    {
        while (!words_.unsent().empty()) {
            const auto bytes = words_.unsent();
            const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0)
                throw error(errc::connection_reset, std::strerror(errno));
            words_.sent(static_cast<std::size_t>(n));
        }
    }
    /// Waits for the handshake. The calls after it are this test's own bytes.
    void open()
    {
        if (words_.is_open())
            return;
        flush();
        while (!words_.is_open())
            if (!step())
                throw error(last_end_ ? last_end_->code : errc::deadline_exceeded, "no handshake");
    }

    template <class C>
    std::uint64_t send(const C& command, bool now = true)
    {
        return send_raw(C::name, encode(command).view(), now);
    }
    std::uint64_t send_raw(std::string_view name, std::span<const std::byte> message,
                           bool now = true)
    {
        open();
        const auto number = words_.declare(name);
        const auto id = words_.call(number, message, std::nullopt, clock::now());
        if (now)
            flush();
        return id;
    }

    /// The next answer; nothing where the connection ends first.
    std::optional<answer> receive()
    {
        while (answers_.empty())
            if (!step())
                return std::nullopt;
        answer a = std::move(answers_.front());
        answers_.erase(answers_.begin());
        return a;
    }
    answer expect()
    {
        auto a = receive();
        if (!a)
            throw error(last_end_ ? last_end_->code : errc::deadline_exceeded, "no answer");
        return *std::move(a);
    }
    template <class C>
    answer ask(const C& command)
    {
        send(command);
        return expect();
    }
    answer ask_raw(std::string_view name, std::span<const std::byte> message)
    {
        send_raw(name, message);
        return expect();
    }

    /// Sends or receives what the socket takes or has now, waiting for either.
    void exchange_once()
    {
        pollfd p{fd_.get(), POLLIN, 0};
        const auto bytes = words_.unsent();
        if (!bytes.empty())
            p.events |= POLLOUT;
        if (::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 0)
            throw error(errc::deadline_exceeded, "the server neither takes nor sends");
        if ((p.revents & POLLOUT) != 0) {
            const ssize_t n =
                ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0)
                words_.sent(static_cast<std::size_t>(n));
        }
        if ((p.revents & POLLIN) != 0)
            step();
    }

    /// Reads to the end of the connection; true where it ended in order.
    bool wait_for_end()
    {
        while (step()) {}
        return saw_eof_;
    }
    void half_close() { ::shutdown(fd_.get(), SHUT_WR); }

    const std::optional<events::ended>& last_end() const noexcept { return last_end_; }
    /// Why the server said that it goes away.
    std::optional<errc> goaway() const noexcept { return goaway_; }
    const std::string& goaway_text() const noexcept { return goaway_text_; }
    bool was_reset() const noexcept { return was_reset_; }
    std::size_t answers_waiting() const noexcept { return answers_.size(); }

private:
    /// Receives once and takes what is complete; false at the end of the connection.
    bool step()
    {
        if (saw_eof_ || was_reset_)
            return false;
        if (!wait_ready(fd_.get(), POLLIN, clock::now() + patience))
            throw error(errc::deadline_exceeded, "the server said nothing");
        const auto room = words_.prepare();
        const ssize_t n = ::recv(fd_.get(), room.data(), room.size(), 0);
        if (n == 0) {
            saw_eof_ = true;
            const event e = words_.end_of_input();
            last_end_ = std::get<events::ended>(e);
            return !answers_.empty();
        }
        if (n < 0) {
            was_reset_ = true;
            return !answers_.empty();
        }
        words_.commit(static_cast<std::size_t>(n));
        take_events();
        return true;
    }
    void take_events()
    {
        for (;;) {
            const event e = words_.next();
            if (std::holds_alternative<events::nothing>(e))
                return;
            if (const auto* ok = std::get_if<events::replied>(&e)) {
                answers_.push_back({ok->id, {}, {}, {ok->message.begin(), ok->message.end()}, {}});
            }
            else if (const auto* bad = std::get_if<events::failed>(&e)) {
                answers_.push_back(
                    {bad->id, bad->code, std::string(bad->text), {}, bad->retry_after});
            }
            else if (const auto* away = std::get_if<events::going_away>(&e)) {
                goaway_ = away->code;
                goaway_text_ = away->text;
            }
            else if (const auto* over = std::get_if<events::ended>(&e)) {
                last_end_ = *over;
                return;
            }
        }
    }

    owned_fd fd_;
    conversation words_;
    std::vector<answer> answers_;
    std::optional<events::ended> last_end_;
    std::optional<errc> goaway_;
    std::string goaway_text_;
    bool saw_eof_ = false, was_reset_ = false;
};

/// A fresh directory, removed with what is in it.
class scratch_directory {
public:
    scratch_directory()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "wharf-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("mkdtemp failed");
        path_ = pattern;
    }
    ~scratch_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    std::string operator/(const std::string& file) const { return path_ + "/" + file; }

private:
    std::string path_;
};

/// Everybody on loopback may call everything.
inline server_options open_options(std::uint32_t threads = 1)
{
    server_options o;
    listener_options l;
    l.name = "tcp";
    l.where = tcp_endpoint{"127.0.0.1", 0};
    o.listeners.push_back(l);
    o.roles.push_back({"all", {"*"}});
    o.allow.push_back({"*", "anonymous", "*", "all"});
    o.threads = threads;
    return o;
}

/// The commands of this file, answered inline.
struct basic_service {
    void serve(router& commands)
    {
        commands.on<add>([](const add& c) { return c.a + c.b; });
        commands.on<echo>([](const echo& c) { return c.text; });
        commands.on<fill>([](const fill& c) { return std::string(c.bytes, 'x'); });
    }
};

/// Looks again and again until it is so; false when it takes too long.
inline bool eventually(const std::function<bool()>& is_so)
{
    const auto until = clock::now() + patience;
    while (!is_so()) {
        if (clock::now() > until)
            return false;
        ::poll(nullptr, 0, 1);
    }
    return true;
}

} // namespace wharf::test
