// A session's peer that sees every event: a raw conversation on the other end of a socketpair.
#pragma once

#include "session_support.hpp"

#include <array>
#include <deque>

namespace wharf::test {

/// An event, with what it points to.
struct seen {
    std::string what; ///< the event's name; "end" for the end of the connection
    std::uint64_t id = 0;
    flow which = flow::reply;
    errc code{};
    std::string text;
    std::vector<std::byte> message;
    std::optional<std::chrono::milliseconds> timeout;
    std::chrono::milliseconds retry_after{};

    template <class T>
    T as() const
    {
        T value{};
        load_archive in(std::span(message.data(), message.size()));
        in >> value;
        in.finish();
        return value;
    }
};

/// Used by one thread. It reads and writes at once, as far as the socket goes.
class partner {
public:
    explicit partner(server& s, const conversation_limits& limits = {}, int type = AF_UNIX)
        : words_(side::client, limits, "partner", clock::now())
    {
        if (type == AF_UNIX) {
            int ends[2];
            BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
            s.adopt(ends[0], "test");
            fd_ = owned_fd(ends[1]);
        }
        else {
            fd_ = connect_to(s.endpoints().at(0));
        }
        expect("opened");
    }

    conversation& words() noexcept { return words_; }
    int fd() const noexcept { return fd_.get(); }
    /// Items are given back as soon as they are taken, unless the test does so itself.
    bool gives_credit = true;
    /// It answers declarations that tell classes, and knows none of them.
    bool tells_versions = true;

    template <class C>
    std::uint64_t call(const C& command, std::optional<std::chrono::milliseconds> timeout = {})
    {
        const auto deadline =
            timeout ? std::optional(clock::now() + *timeout) : std::optional<clock::time_point>();
        return words_.call(words_.declare(C::name), encode(command).view(), deadline, clock::now());
    }
    template <class T>
    void item(std::uint64_t id, flow which, const T& what)
    {
        wait_until([&] { return words_.can_send(id, which); });
        words_.send_item(id, which, encode(what).view());
    }
    template <class Reply>
    void reply(std::uint64_t id, const Reply& what)
    {
        const auto mark = words_.begin_reply(id);
        words_.output().append(encode(what).view());
        words_.end_reply(mark);
    }

    /// The end of a reply that streams.
    void end_stream(std::uint64_t id) { words_.end_reply(words_.begin_reply(id)); }

    /// The next event, however long it takes; sends what is unsent meanwhile.
    seen next()
    {
        wait_until([&] { return !events_.empty(); });
        seen e = std::move(events_.front());
        events_.pop_front();
        return e;
    }
    seen expect(std::string_view what)
    {
        const seen e = next();
        BOOST_REQUIRE_MESSAGE(e.what == what, "expected " << what << ", got " << e.what << " "
                                                          << to_name(e.code) << " " << e.text);
        return e;
    }
    /// Has nothing arrived, up to now?
    bool is_quiet()
    {
        exchange(0);
        return events_.empty();
    }
    void flush()
    {
        wait_until([&] { return words_.unsent_bytes() == 0; });
    }
    void half_close()
    {
        flush();
        ::shutdown(fd_.get(), SHUT_WR);
    }
    /// Closes by a reset on TCP, at once on a unix socket.
    void reset()
    {
        const linger hard{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        fd_.reset();
    }
    /// Sends and receives what the socket takes or has, and waits for either at most so long.
    void exchange(int milliseconds)
    {
        pollfd p{fd_.get(), static_cast<short>(is_over_ ? 0 : POLLIN), 0};
        if (words_.unsent_bytes() != 0)
            p.events |= POLLOUT;
        if (::poll(&p, 1, milliseconds) <= 0)
            return;
        if ((p.revents & POLLOUT) != 0) {
            const auto bytes = words_.unsent();
            const ssize_t n =
                ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0)
                words_.sent(static_cast<std::size_t>(n));
        }
        if ((p.revents & (POLLIN | POLLHUP)) != 0 && !is_over_)
            receive();
    }

private:
    template <class Condition>
    void wait_until(Condition&& is_so)
    {
        const auto until = clock::now() + patience;
        while (!is_so()) {
            if (clock::now() > until)
                throw error(errc::deadline_exceeded, "the session said nothing");
            exchange(1000);
        }
    }
    void receive()
    {
        const auto room = words_.prepare();
        const ssize_t n = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            is_over_ = true;
            seen e;
            e.what = "end";
            e.code = n == 0 ? errc::connection_closed : errc::connection_reset;
            events_.push_back(std::move(e));
            return;
        }
        words_.commit(static_cast<std::size_t>(n));
        for (;;) {
            const event e = words_.next();
            if (std::holds_alternative<events::nothing>(e))
                return;
            note(e);
            if (std::holds_alternative<events::ended>(e))
                return;
        }
    }
    void note(const event& e)
    {
        static constexpr std::array names{"nothing",      "opened",    "declared",      "called",
                                          "replied",      "failed",    "expired",       "item",
                                          "upload_ended", "cancelled", "window_opened", "ponged",
                                          "going_away",   "ended",     "versions"};
        static_assert(names.size() == std::variant_size_v<event>);
        seen s;
        s.what = names[e.index()];
        const auto copy = [&s](std::span<const std::byte> bytes) {
            s.message.assign(bytes.begin(), bytes.end());
        };
        if (const auto* called = std::get_if<events::called>(&e)) {
            s.id = called->id;
            s.timeout = called->timeout;
            copy(called->message);
        }
        else if (const auto* replied = std::get_if<events::replied>(&e)) {
            s.id = replied->id;
            copy(replied->message);
        }
        else if (const auto* failed = std::get_if<events::failed>(&e)) {
            s.id = failed->id;
            s.code = failed->code;
            s.text = failed->text;
            s.retry_after = failed->retry_after;
        }
        else if (const auto* item = std::get_if<events::item>(&e)) {
            s.id = item->id;
            s.which = item->which;
            copy(item->message);
            if (gives_credit)
                words_.consumed(item->id, item->which, item->message.size());
        }
        else if (const auto* uploaded = std::get_if<events::upload_ended>(&e)) {
            s.id = uploaded->id;
        }
        else if (const auto* cancelled = std::get_if<events::cancelled>(&e)) {
            s.id = cancelled->id;
        }
        else if (const auto* away = std::get_if<events::going_away>(&e)) {
            s.code = away->code;
            s.text = away->text;
        }
        else if (const auto* ended = std::get_if<events::ended>(&e)) {
            s.code = ended->code;
            s.text = ended->text;
        }
        else if (const auto* known = std::get_if<events::versions>(&e)) {
            s.id = known->number;
            copy(known->classes);
        }
        else if (const auto* declared = std::get_if<events::declared>(&e)) {
            if (declared->classes && tells_versions) // what is uploaded waits for the answer
                words_.tell_versions(declared->number, {});
            return; // no test waits for it
        }
        else if (std::holds_alternative<events::window_opened>(e)) {
            return; // nor for this
        }
        events_.push_back(std::move(s));
    }

    owned_fd fd_;
    conversation words_;
    std::deque<seen> events_;
    bool is_over_ = false;
};

} // namespace wharf::test
