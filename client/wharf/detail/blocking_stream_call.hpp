// A call that streams and whose user waits, without its types.
#pragma once

#include <wharf/detail/stream_operations.hpp>
#include <wharf/while_waiting.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace wharf::detail {

class blocking_core;
class waited_arrival;

/// One thread may receive, or wait for the result, while another sends. What waits throws
/// wharf::error; `until` ends one operation with errc::deadline_exceeded and leaves the call as it
/// is.
class blocking_stream_call {
public:
    using time_point = std::chrono::steady_clock::time_point;

    blocking_stream_call(std::shared_ptr<blocking_core> core, encoded_call&& call, bool receives,
                         bool sends, while_waiting&& meanwhile);
    ~blocking_stream_call();
    blocking_stream_call(const blocking_stream_call&) = delete;
    blocking_stream_call& operator=(const blocking_stream_call&) = delete;

    /// An item, or nothing at the end.
    arrival receive(time_point until);
    void send(encoded_item&& item, time_point until);
    void end_upload();
    /// The reply; once.
    arrival result();
    /// As stream_call::close().
    void close() noexcept;

    /// Throws the failure of an arrival that has one.
    void check(arrival& what) const { throw_failure(what, call_->diagnostics()); }
    const limits& bounds() const noexcept { return call_->bounds(); }

private:
    void check_stop() const;
    void wait(waited_arrival& what, time_point until, stream_waiting& in);
    bool wait_until(waited_arrival& what, time_point until, time_point next_progress);
    void cancel(waited_arrival& what, stream_waiting& in);

    const std::shared_ptr<blocking_core> core_; ///< shared with its client and its other streams
    const while_waiting meanwhile_;
    const time_point deadline_;
    const bool is_open_ended_;
    std::atomic<bool> was_sent_{
        false}; ///< known where the deadline was for sending, and has passed
    const std::shared_ptr<stream_call> call_;
    std::optional<std::stop_callback<std::function<void()>>> stopped_;
};

} // namespace wharf::detail
