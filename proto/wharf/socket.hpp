// socket and socket_file: the blocking stream that a load archive and a store archive share.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>
#include <wharf/limits.hpp>
#include <wharf/message_file.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wharf {

/// Which way a connection is shut down.
enum class direction : std::uint8_t { receive, send, both };

/// A blocking stream socket, made in two steps like the seeds' CSocket: construct it, then create()
/// it and either listen() and accept(), or connect(). The static functions do it in one.
///
/// Every wait has a deadline, `default_timeout` where none is given. A call that fails leaves the
/// socket as it was and leaks no descriptor. Throws error: errc::not_connected for what needs a
/// connection (or a listening socket) and has none, errc::bad_argument for a call out of sequence,
/// errc::deadline_exceeded, and those that the functions name.
///
/// Owns its descriptor: moved, never copied; the destructor closes it. Connections have the
/// defaults of tcp_options. Distinct objects: safe. Shared objects: unsafe.
class socket {
public:
    static constexpr std::chrono::milliseconds default_timeout{30000};

    /// Empty: what accept() fills, or what create() begins with.
    socket() noexcept = default;
    socket(socket&& other) noexcept;
    socket& operator=(socket&& other) noexcept;
    ~socket() { close(); }

    /// A socket that listens on `where`, or one connected to it, in one step.
    [[nodiscard]] static socket listen_on(const endpoint& where, int backlog = 0);
    [[nodiscard]] static socket connect_to(const endpoint& where,
                                           std::chrono::milliseconds timeout = default_timeout);

    /// A client's: any free port, and the family of whatever it connects to.
    void create();
    /// A server's: binds to the port on 127.0.0.1; 0 takes a free one, which port() tells. Only
    /// this machine can reach it: to open it to the network, name the address (or "0.0.0.0" or
    /// "::" for all of them) as the first argument.
    /// Throws errc::address_in_use, access_denied, bad_endpoint, host_not_found.
    void create(int port);
    void create(std::string_view address, int port);
    /// Any endpoint but fd:N (see attach()), as in create(parse_endpoint("unix:/run/x.sock")).
    /// The file of a unix socket stays behind; the next one to be created there replaces it.
    void create(const endpoint& where);

    /// Starts listening; `backlog` 0 is the system's most. Needs a create() that named a port.
    void listen(int backlog = 0);
    /// Waits for a connection and puts it into `peer`, a new, empty socket: never create() it.
    /// This socket goes on listening; what happens to the other one is nothing to it.
    void accept(socket& peer, std::chrono::milliseconds timeout = default_timeout);

    /// Connects to a host, by name or numeric address, or to an endpoint, as text or as a value.
    /// Throws errc::connection_refused, unreachable, host_not_found, access_denied, bad_endpoint;
    /// the socket is as created then, so that it can be tried again.
    void connect(std::string_view host, int port,
                 std::chrono::milliseconds timeout = default_timeout);
    void connect(std::string_view where, std::chrono::milliseconds timeout = default_timeout);
    void connect(const endpoint& where, std::chrono::milliseconds timeout = default_timeout);

    /// Takes over a connected or listening stream socket; errc::bad_endpoint for anything else,
    /// which is left alone. The descriptor becomes non-blocking and closes on exec.
    void attach(int fd);
    /// Gives the descriptor away (non-blocking as it is), -1 where there is none; empty afterwards.
    int detach() noexcept;

    /// Closes at once; empty afterwards. Bytes that nobody read make the system reset the
    /// connection. Calling it again does nothing.
    void close() noexcept;
    /// Says that nothing more will be sent, drops what the peer still sends until it ends too or
    /// the time is up, and closes: the peer gets the last reply whatever it had sent meanwhile.
    void close_gracefully(std::chrono::milliseconds timeout = default_timeout) noexcept;
    /// Ends one way of the connection (a half-close) or both; the descriptor stays.
    void shutdown(direction which = direction::send);

    /// Sends everything, or receives at least a byte; receive() returns 0 when the peer ended in
    /// order. For programs that use a socket without an archive.
    /// Throws errc::connection_reset when the connection broke.
    void send(std::span<const std::byte> bytes,
              std::chrono::milliseconds timeout = default_timeout);
    std::size_t receive(std::span<std::byte> room,
                        std::chrono::milliseconds timeout = default_timeout);

    bool is_open() const noexcept { return state_ != state::empty; }
    bool is_connected() const noexcept { return state_ == state::connected; }
    bool is_listening() const noexcept { return state_ == state::listening; }
    /// This end and the other one. Throws errc::not_connected where there is none.
    peer_address local() const;
    peer_address peer() const;
    /// The local TCP port; 0 where there is none.
    std::uint16_t port() const;
    /// The descriptor, for poll() and the like; -1 where there is none.
    int native_handle() const noexcept { return fd_; }

private:
    enum class state : std::uint8_t { empty, created, bound, listening, connected };

    void require_connected(const char* what) const;

    int fd_ = -1; // none in the states empty and created
    state state_ = state::empty;
};

/// Bounds of a socket_file.
struct socket_file_options {
    /// How long one operation may take.
    std::chrono::milliseconds timeout = socket::default_timeout;
    /// A message larger than this is neither sent nor received.
    std::size_t message_bytes_max = limits().message_bytes_max;
    /// Received bytes that wait to be asked for, at least one message. Sending receives meanwhile,
    /// so that two ends may send at the same time; past this bound it no longer does, and two ends
    /// that both send more than this and never receive end in errc::deadline_exceeded.
    std::size_t buffered_bytes_max = 64u << 20;
};

/// Whole messages over a connected socket, which must outlive the file and be neither moved nor
/// connected anew meanwhile.
///
/// Each direction begins once with the 8 bytes 89 'w' 'h' 'a' 'r' 'f' 'A' 01, sent with its first
/// message; a message is its length in 4 bytes, little-endian, and its bytes. The constructor does
/// no I/O.
///
/// Operations throw error: errc::deadline_exceeded when the time of expires_after() is up;
/// connection_closed for the peer's end in order, between messages; truncated for its end inside of
/// one; connection_reset when the connection broke; message_limit; bad_protocol for a peer that
/// speaks something else (with a text for a wharfd, which wants a wharf::client), from its first
/// wrong byte on; unsupported_protocol for a later version of this; not_connected.
/// Receiving can go on after a deadline. A message whose sending failed half-way cannot be taken
/// back: sending throws connection_reset from then on.
///
/// Distinct objects: safe. Shared objects: unsafe.
class socket_file final : public message_file {
public:
    explicit socket_file(socket& connected, const socket_file_options& options = {});

    /// How long each operation from now on may take; there is no waiting without an end.
    void expires_after(std::chrono::milliseconds timeout) noexcept { options_.timeout = timeout; }

    void send_message(std::span<const std::byte> message) override;
    std::span<const std::byte> receive_message() override;
    bool has_message() const override;

private:
    using time_point = std::chrono::steady_clock::time_point;

    enum class input : std::uint8_t { some, none_now, ended };
    input receive_available(std::size_t bytes_max);
    void check_opening();
    std::optional<std::size_t> next_message_bytes() const;
    std::span<const std::byte> take_message(std::size_t bytes);
    [[noreturn]] void throw_ended() const;
    std::size_t unread_bytes() const noexcept { return arrived_.size() - taken_; }
    const std::byte* unread() const noexcept { return arrived_.data() + taken_; }

    socket& socket_;
    socket_file_options options_;
    byte_buffer arrived_; // received; the first taken_ bytes are done with
    std::size_t taken_ = 0;
    byte_buffer current_;     // what receive_message() last returned
    std::size_t opening_ = 0; // bytes of the peer's opening that were checked
    bool opened_ = false;     // our opening is sent
    bool send_failed_ = false;
    bool ended_ = false; // the peer sends no more
};

} // namespace wharf
