// Where typed calls go, without their types: a client, or a session's way to its peer.
#pragma once

#include <wharf/call_options.hpp>
#include <wharf/detail/call_record.hpp>
#include <wharf/limits.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wharf::detail {

class stream_channel;

/// Takes calls, in any thread. Owned by shared pointers: it lives at least as long as its calls.
class caller {
public:
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;

    /// Hands over a call; it is finished later, exactly once, never inside this function.
    virtual void start(call_record& record, std::uint64_t ticket) = 0;
    /// Finishes a call that is not finished yet with this code. A call that was sent keeps its
    /// connection; the peer is told, and its late reply is dropped. False: it has been finished, or
    /// is being finished.
    virtual bool withdraw(std::uint64_t ticket, errc code) = 0;
    /// The channel for the streams of a call that is about to start; it joins the call by
    /// call_record::channel().
    virtual std::shared_ptr<stream_channel> make_channel(bool receives, bool sends) = 0;
    /// What a reply may cost. Valid as long as this.
    virtual const limits& decode_limits() const noexcept = 0;
    virtual std::chrono::nanoseconds default_timeout() const noexcept = 0;

    /// A copy of a command's name that lives as long as this. Throws error(errc::session_limit)
    /// where there are too many. Any thread.
    virtual std::string_view keep_name(std::string name);

    /// A name for a call, for withdraw(); never used twice.
    std::uint64_t next_ticket() noexcept { return ++last_ticket_; }

protected:
    caller() = default;
    ~caller() = default;

private:
    std::atomic<std::uint64_t> last_ticket_{0};
};

/// Every call ends with errc::not_connected: the caller of a session that is over.
std::shared_ptr<caller> closed_caller();

/// A buffer to encode into, from a place where this thread keeps one; put it back.
byte_buffer take_scratch() noexcept;
void put_scratch(byte_buffer&& scratch) noexcept;

/// The absolute deadline of a call that is made now.
std::chrono::steady_clock::time_point deadline_of(const caller& through,
                                                  const call_options& options) noexcept;

} // namespace wharf::detail
