// What tests of handlers share: commands, a session that is none, and one call between two
// conversations in memory.
#pragma once

#include <wharf/detail/answer.hpp>
#include <wharf/service.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wharf::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

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

template <class T>
byte_buffer encode(const T& value)
{
    byte_buffer bytes;
    store_archive out(bytes);
    out << value;
    out.flush();
    return bytes;
}

template <class T>
T decode(std::span<const std::byte> bytes)
{
    T value{};
    load_archive in(bytes);
    in >> value;
    in.finish();
    return value;
}

/// A session without a connection: its calls fail at once.
class no_session final : public detail::session_core {
public:
    const detail::session_facts& facts() const noexcept override { return facts_; }
    bool may_call(std::string_view command) const override { return !denied.contains(command); }
    void close(errc why, std::string) override { closed = why; }
    std::shared_ptr<void>& state(std::type_index type) override { return states_[type]; }

    void start(detail::call_record& record, std::uint64_t) override
    {
        detail::outcome how;
        how.code = errc::not_connected;
        record.finish(how, false);
    }
    bool withdraw(std::uint64_t, errc) override { return false; }
    std::shared_ptr<detail::stream_channel> make_channel(bool, bool) override { return {}; }
    const limits& decode_limits() const noexcept override { return limits_; }
    std::chrono::nanoseconds default_timeout() const noexcept override { return 10s; }

    detail::session_facts& set() noexcept { return facts_; }
    std::set<std::string, std::less<>> denied;
    std::optional<errc> closed;

private:
    detail::session_facts facts_;
    limits limits_;
    std::map<std::type_index, std::shared_ptr<void>> states_;
};

/// A server's conversation with one accepted call in it, and the client that made it.
struct exchange {
    explicit exchange(std::string_view name, std::span<const std::byte> arguments,
                      const conversation_limits& client_limits = {})
        : client(side::client, client_limits, "c", clock::now()),
          server(side::server, {}, "s", clock::now())
    {
        pass(client, server);
        pass(server, client);
        take(server);
        take(client);
        id = client.call(client.declare(name), arguments, std::nullopt, clock::now());
        pass(client, server);
        take(server);
    }
    static void pass(conversation& from, conversation& to)
    {
        while (!from.unsent().empty()) {
            const auto room = to.prepare();
            const std::size_t n = std::min(room.size(), from.unsent().size());
            std::memcpy(room.data(), from.unsent().data(), n);
            from.sent(n);
            to.commit(n);
            if (!from.unsent().empty())
                take(to);
        }
    }
    static void take(conversation& of)
    {
        while (!std::holds_alternative<events::nothing>(of.next())) {}
    }
    /// The one answer that the client gets.
    event answered()
    {
        pass(server, client);
        return client.next();
    }

    conversation client, server;
    std::uint64_t id = 0;
};

} // namespace wharf::test
