// One place to listen: accepts connections and survives running out of descriptors.
#pragma once

#include <wharf/options.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace wharf {

/// Owns its listening socket; close() or destruction removes the path of a unix socket it made.
/// All but the counters belongs to the thread that runs the executor. Shared between its owner and
/// its accept loop, which ends after close().
class listener : public std::enable_shared_from_this<listener> {
public:
    /// Takes the accepted descriptor over, which is non-blocking; must not throw.
    using taker = std::function<void(const listener& from, int fd)>;

    listener(boost::asio::any_io_executor executor, listener_options options, taker take);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Binds and listens. Throws error as open_listener() does.
    void open();
    /// Begins to accept.
    void start();
    /// Stops accepting. Connections that nobody accepted are reset by the system.
    void close();

    const std::string& name() const noexcept { return name_; }
    const listener_options& options() const noexcept { return options_; }
    /// Where it really listens; after open().
    const endpoint& where() const noexcept { return where_; }
    bool is_unix() const noexcept { return std::holds_alternative<unix_endpoint>(where_); }
    boost::asio::generic::stream_protocol protocol() const noexcept { return protocol_; }

    std::uint64_t accepted() const noexcept { return accepted_.load(std::memory_order_relaxed); }
    /// Times that the system had no descriptor for a connection.
    std::uint64_t exhausted() const noexcept { return exhausted_.load(std::memory_order_relaxed); }

private:
    enum class outcome { accepted, nothing_waits, try_again, exhausted, failed };

    boost::asio::awaitable<void> run();
    outcome accept_one();
    void shed_one();
    void log_trouble(const std::string& what);
    void remove_path();

    boost::asio::any_io_executor executor_;
    listener_options options_;
    std::string name_;
    taker take_;
    transport_acceptor acceptor_;
    boost::asio::generic::stream_protocol protocol_;
    boost::asio::steady_timer pause_;
    endpoint where_;
    std::uint64_t path_device_ = 0, path_inode_ = 0; ///< the socket file, if it is ours
    int reserve_ = -1; ///< given up for a moment to tell a peer that no descriptor is left
    std::chrono::steady_clock::time_point last_log_{};
    std::atomic<std::uint64_t> accepted_{0}, exhausted_{0};
};

/// The bytes that tell a peer why it is not served, before the connection is closed.
std::string refusal_bytes(errc code, std::string_view text);

} // namespace wharf
