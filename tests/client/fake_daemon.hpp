// A daemon that does what a client's test tells it to, wrong things included, on a thread of its
// own.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/conversation.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace fake {

/// One call as the daemon sees it.
struct request {
    std::uint64_t id;
    std::optional<std::chrono::milliseconds> timeout;
    std::span<const std::byte> message;
};

/// One connection. Used on the daemon's thread only.
class session : public std::enable_shared_from_this<session> {
public:
    session(wharf::transport connected, const wharf::conversation_limits& limits)
        : stream(std::move(connected)),
          talk(wharf::side::server, limits, "fake 1", std::chrono::steady_clock::now())
    {}

    template <class Reply>
    void reply(std::uint64_t id, const Reply& value)
    {
        const auto mark = talk.begin_reply(id);
        wharf::store_archive out(talk.output());
        out << value;
        out.flush();
        talk.end_reply(mark);
    }
    /// One item of the reply's stream; false, and nothing is sent, where there is no credit.
    template <class Item>
    bool send(std::uint64_t id, const Item& value)
    {
        if (!talk.can_send(id, wharf::flow::reply))
            return false;
        wharf::byte_buffer bytes;
        wharf::store_archive out(bytes);
        out << value;
        out.flush();
        talk.send_item(id, wharf::flow::reply, bytes.view());
        return true;
    }
    /// Calls a command of the client; what comes back is told to options::on_event.
    template <class C>
    std::uint64_t call(const C& what, std::optional<std::chrono::milliseconds> timeout = {})
    {
        wharf::byte_buffer bytes;
        wharf::store_archive out(bytes);
        out << what;
        out.flush();
        const auto now = std::chrono::steady_clock::now();
        std::optional<std::chrono::steady_clock::time_point> deadline;
        if (timeout)
            deadline = now + *timeout;
        return talk.call(talk.declare(C::name), bytes.view(), deadline, now);
    }
    /// One item of the upload of a call to the client.
    template <class Item>
    void upload(std::uint64_t id, const Item& value)
    {
        wharf::byte_buffer bytes;
        wharf::store_archive out(bytes);
        out << value;
        out.flush();
        talk.send_item(id, wharf::flow::upload, bytes.view());
    }
    /// The end of a stream, and the reply of a command that has none.
    void end(std::uint64_t id) { talk.end_reply(talk.begin_reply(id)); }
    void close();

    wharf::transport stream;
    wharf::conversation talk;
    bool sending = false;            ///< what is unsent is on its way already
    std::vector<std::string> names;  ///< as declared, by number
    std::vector<std::uint64_t> held; ///< calls that a handler has left unanswered
};

using handler = std::function<void(session&, const request&)>;

/// Listens from its construction to stop().
class daemon {
public:
    struct options {
        std::function<void(session&)> on_open;   ///< once, when the handshake is complete
        std::function<void(session&)> on_accept; ///< once, before anything is read
        wharf::conversation_limits limits;
        /// Whatever else the client says: items, windows, cancels, its replies.
        std::function<void(session&, const wharf::event&)> on_event{};
        /// A declaration that tells classes. Without it they are answered by an empty list.
        std::function<void(session&, const wharf::events::declared&)> on_classes{};
    };

    explicit daemon(const wharf::endpoint& where, std::map<std::string, handler> handlers);
    daemon(const wharf::endpoint& where, std::map<std::string, handler> handlers, options how);
    ~daemon() { stop(); }

    /// Runs f on the daemon's thread and waits for it.
    void run(const std::function<void(std::vector<std::shared_ptr<session>>&)>& f);
    void close_connections();
    void stop();

    std::string endpoint() const { return endpoint_; }
    int accepted() const { return accepted_; }
    int receives() const { return receives_; }

private:
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(std::shared_ptr<session> with);
    boost::asio::awaitable<bool> send(std::shared_ptr<session> with);

    boost::asio::io_context context_;
    wharf::transport_acceptor acceptor_;
    std::string endpoint_;
    std::map<std::string, handler> handlers_;
    options options_;
    std::vector<std::shared_ptr<session>> sessions_;
    std::atomic<int> accepted_{0};
    std::atomic<int> receives_{0};
    std::thread thread_;
};

/// A fresh directory under the system's temporary one, removed at the end.
class directory {
public:
    directory();
    ~directory();
    wharf::endpoint socket(const std::string& name = "d.sock") const;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// The bytes of an item or a reply as a T.
template <class T>
T decode(std::span<const std::byte> message)
{
    T value{};
    wharf::load_archive in(message, wharf::limits{});
    in >> value;
    in.finish();
    return value;
}

/// A handler that decodes C and answers with f(command).
template <wharf::command C, class F>
std::pair<std::string, handler> on(F f)
{
    return {std::string(C::name), [f](session& with, const request& call) {
                C command{};
                wharf::load_archive in(call.message, wharf::limits{});
                in >> command;
                in.finish();
                try {
                    with.reply(call.id, f(command));
                }
                catch (const wharf::error& e) {
                    with.talk.reply_error(call.id, e.code(), e.text(), e.retry_after());
                }
            }};
}

/// A handler that leaves the call unanswered, in session::held.
template <wharf::command C>
std::pair<std::string, handler> hold()
{
    return {std::string(C::name),
            [](session& with, const request& call) { with.held.push_back(call.id); }};
}

} // namespace fake
