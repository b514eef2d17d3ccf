// The streams of one call at one end, without their types: what arrived, who waits, what may leave.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/conversation.hpp>
#include <wharf/error.hpp>
#include <wharf/limits.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace wharf::detail {

class message_owner;
class stream_channel;

/// The connection as its channels see it: a session, or a client's core. It outlives them.
class stream_host {
public:
    /// Guards the conversation and all channels of it. Owns no mutex where one thread has them all.
    virtual std::unique_lock<std::mutex> lock() = 0;
    // What follows is called with the lock held.

    /// Is so little unsent that an item may be written now? Once it was false, the host calls
    /// on_writable() of the channels that wait when it holds again.
    virtual bool has_room() const noexcept = 0;
    /// Something was written into the conversation: send it soon.
    virtual void written() = 0;
    /// An item of so many bytes was written for this channel: for who counts them.
    virtual void item_written(const stream_channel& /*by*/, std::size_t /*bytes*/) noexcept {}
    /// The user of a caller's channel dropped it before the call was over: cancel the call. Nothing
    /// where the call has been withdrawn.
    virtual void give_up(stream_channel& dropped) = 0;

    // These are constant: with the lock or without.

    /// What one item may cost when it is loaded.
    virtual const limits& decode_limits() const noexcept = 0;
    /// Where handlers without an executor of their own complete.
    virtual boost::asio::any_io_executor channel_executor() = 0;

protected:
    stream_host() = default;
    stream_host(const stream_host&) = delete;
    stream_host& operator=(const stream_host&) = delete;
    ~stream_host() = default;
};

/// What a waiting operation gets: an error, or bytes, or nothing where a stream ended in order and
/// where something was sent.
struct arrival {
    std::unique_ptr<error> failure;
    byte_buffer bytes;
    bool has_bytes = false;
    arrival() = default;
    explicit arrival(errc code, std::string_view text = {}, std::chrono::milliseconds retry = {})
        : failure(std::make_unique<error>(code, std::string(text), retry))
    {}
};

/// An operation that waits. It owns itself, and exactly one of the two is called, once.
class stream_waiter {
public:
    /// Posts the completion to the handler's executor; a host's lock may be held.
    virtual void complete(arrival&& what) = 0;
    /// Destroys the handler without running it.
    virtual void abandon() noexcept = 0;
    /// Names the operation for cancelling. Belongs to whom it waits in.
    std::uint64_t ticket = 0;

protected:
    stream_waiter() = default;
    stream_waiter(const stream_waiter&) = delete;
    stream_waiter& operator=(const stream_waiter&) = delete;
    ~stream_waiter() = default;
};

/// Something to wait in, by one operation of each kind at a time.
class stream_waiting {
public:
    /// Completes the operation of this ticket with errc::cancelled, if it still waits.
    virtual void cancel(std::uint64_t ticket) = 0;
    /// Never used twice.
    std::uint64_t next_ticket() noexcept
    {
        return last_ticket_.fetch_add(1, std::memory_order_relaxed) + 1;
    }

protected:
    stream_waiting() = default;
    stream_waiting(const stream_waiting&) = delete;
    stream_waiting& operator=(const stream_waiting&) = delete;
    ~stream_waiting() = default;

private:
    std::atomic<std::uint64_t> last_ticket_{0};
};

/// Items that arrived and that nobody took yet. Small ones share a block, so that a peer which
/// sends many tiny items makes this process hold little more than their bytes.
class item_queue {
public:
    bool empty() const noexcept { return blocks_.empty(); }
    std::size_t count() const noexcept { return count_; }
    /// `owner`: of the item's memory, which is taken over where that can be; may be null.
    void push(std::span<const std::byte> item, message_owner* owner = nullptr);
    /// The oldest item, in place of what `into` held, whose memory is kept for items to come.
    void pop(byte_buffer& into);
    void clear() noexcept;
    /// Calls f(size) for each.
    template <class Function>
    void for_each(Function&& f) const
    {
        for (const block& b : blocks_)
            if (b.is_one_item)
                f(b.bytes.size());
            else
                for (std::size_t at = b.begin; at != b.bytes.size();
                     at += sizeof(std::uint32_t) + read(b, at).size())
                    f(read(b, at).size());
    }

private:
    struct block {
        byte_buffer bytes;
        std::size_t begin = 0;
        bool is_one_item = false; ///< else each item stands behind its size
    };
    static std::span<const std::byte> read(const block& from, std::size_t at) noexcept;
    void drop_front() noexcept;
    byte_buffer take_spare() noexcept;
    void keep_spare(byte_buffer&& spare) noexcept;

    std::deque<block> blocks_;
    std::size_t count_ = 0;
    std::vector<byte_buffer> spares_;
};

/// Items that travel in another form than their user has them. Any thread.
class item_translation {
public:
    virtual ~item_translation() = default;
    /// What arrived, as the user wants it. Throws error.
    virtual byte_buffer incoming(std::span<const std::byte> item) const = 0;
    /// What the user sends, as it travels. Throws error.
    virtual byte_buffer outgoing(std::span<const std::byte> item) const = 0;
    /// False: what arrives is as its user wants it, and incoming() is not asked for.
    virtual bool is_of_incoming() const noexcept { return true; }

protected:
    item_translation() = default;
    item_translation(const item_translation&) = delete;
    item_translation& operator=(const item_translation&) = delete;
};

/// Items in order, one receiver and one sender at a time; a second one at once is
/// errc::bad_argument. Handlers are posted to their executors, never run inside these functions.
///
/// It is made unattached; the host attaches it to a conversation when the call has an id. When the
/// call is over, whatever the reason, the host says so while the conversation still exists:
/// on_end() or on_failed() for a call of ours, on_answered() or on_failed() for one of the peer's.
/// (A coroutine that waits here owns, by its sink or source, what it waits in: only this ends it.)
/// Items that nobody took by then stay here for their user, but their credit goes back: like a
/// reply, they are no longer the connection's.
class stream_channel final : public stream_waiting {
public:
    enum class role : std::uint8_t { caller, callee };

    stream_channel(std::shared_ptr<stream_host> host, role which, bool receives, bool sends);
    ~stream_channel();

    /// From now on items are translated. Before its user has it, or with the host's lock.
    void translate(std::shared_ptr<const item_translation> by) noexcept
    {
        translation_ = std::move(by);
    }

    // ---- For its user: any thread, takes the host's lock ----------------------------------

    /// The next item; after its end again and again nothing; after a failure the error. Items that
    /// arrived before a failure come first.
    void async_receive(stream_waiter& waiter);
    /// The same where there is no need to wait: then it returns true and fills `into`, whose memory
    /// is used again.
    bool try_receive(arrival& into);
    /// Completes when the item has been taken for sending, so that what is unsent stays bounded.
    /// The error of a call that is over, errc::cancelled where the peer gave up.
    void async_send(byte_buffer item, stream_waiter& waiter);
    /// Takes the item at once where async_send() need not wait. Throws what sending it throws.
    bool try_send(std::span<const std::byte> item);
    /// A cancelled operation loses no item: what was to be received comes next, what was to be sent
    /// was not.
    void cancel(std::uint64_t ticket) override;
    /// Ends a caller's upload, after the item that waits.
    void end_sending();
    /// The user is gone: drops what arrived. A caller's call that is not over is given up.
    void close() noexcept;
    const limits& decode_limits() const noexcept { return host_->decode_limits(); }
    boost::asio::any_io_executor get_executor() { return host_->channel_executor(); }
    /// on_failed() and on_end() for a call that ended before it was attached.
    void fail(errc code, std::string_view text, std::chrono::milliseconds retry_after = {});
    void finish_receiving();

    // ---- For its host: with the lock held -------------------------------------------------

    /// The call has this id in this conversation from now on. What waits may be written at once.
    void attach(conversation& talk, std::uint64_t id);
    /// Also for a call that is over and a user who is gone: it gives the credit back.
    void on_item(std::span<const std::byte> message);
    /// What is received ended in order: an upload's end, or the reply to a caller, whose call is
    /// over then.
    void on_end();
    /// The call is over, and failed: what waits gets the error. Only the first one counts.
    void on_failed(errc code, std::string_view text, std::chrono::milliseconds retry_after = {});
    /// The call is over in order: nothing can be sent any more.
    void on_answered();
    /// There may be credit, or room, again.
    void on_writable();
    /// A sender waits for credit or room.
    bool is_blocked() const noexcept { return sender_ != nullptr; }
    /// Is nothing sent until go_on(), whatever attach() says? Before attach().
    void hold_back(bool is_held) noexcept { is_held_ = is_held; }
    void go_on();
    std::uint64_t id() const noexcept { return id_; }

private:
    flow receives_as() const noexcept { return role_ == role::caller ? flow::reply : flow::upload; }
    flow sends_as() const noexcept { return role_ == role::caller ? flow::upload : flow::reply; }
    bool can_write() const noexcept;
    bool take(arrival& into);
    void give_credit(std::size_t bytes);
    void give_credit_back();
    void translate_arrival(arrival& item) const;
    void write(std::span<const std::byte> item);
    void write_end();
    arrival failure() const;
    void finish_sender(arrival&& how);
    void finish_receiver(arrival&& how);

    const std::shared_ptr<stream_host> host_;
    const role role_;
    const bool receives_;
    const bool sends_;
    bool receiving_ended_ = false;
    bool sending_ended_ = false;
    bool end_written_ = false;
    bool is_over_ = false;
    bool is_closed_ = false;
    bool is_held_ = false;
    conversation* talk_ = nullptr; ///< null before attach(), gone some time after the call is over
    std::uint64_t id_ = 0;
    item_queue items_;
    std::shared_ptr<const item_translation> translation_;
    stream_waiter* receiver_ = nullptr;
    stream_waiter* sender_ = nullptr;
    byte_buffer unsent_; ///< the item of `sender_`
    std::unique_ptr<error> failure_;
};

} // namespace wharf::detail
