// A call that streams, as a thread that waits holds it.
#pragma once

#include <wharf/command.hpp>
#include <wharf/detail/blocking_stream_call.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace wharf {

namespace detail {
template <class C>
struct blocking_item {
    using type = std::byte;
};
template <streams_reply C>
struct blocking_item<C> {
    using type = reply_item_t<C>;
};
} // namespace detail

/// As stream, but what takes time waits, and throws. Dropping it before the call is over cancels
/// the call; the connection stays.
///
///     for (const tick& t : client.stream(watch{"gold"})) ...
///
/// Between operations nothing happens to it but by other threads that wait in the client: a call
/// that finds no connection goes out in the first operation that waits, and what arrives stays with
/// the system, or in the stream's window. What its operations throw: wharf::error, with what the
/// call ended with, after the items that came before it; errc::cancelled once it was stopped or
/// closed, or its client.
///
/// Movable; it may outlive its client, where it finds itself closed. Distinct objects: safe. Shared
/// objects: unsafe, but that one thread receives (or finishes) while another sends or closes.
template <command C>
requires(streams_reply<C> || streams_upload<C>) class blocking_stream {
public:
    /// Of the reply; nothing to speak of where the reply does not stream.
    using item = typename detail::blocking_item<C>::type;

    /// Made by blocking_client::stream().
    explicit blocking_stream(std::unique_ptr<detail::blocking_stream_call> call) noexcept
        : call_(std::move(call))
    {}

    /// Waits for the next item of the reply; nothing at its end, again and again.
    std::optional<item> next() requires streams_reply<C> { return next_until(forever()); }
    /// The same, not longer than this: then errc::deadline_exceeded, and the stream goes on.
    std::optional<item> next(std::chrono::nanoseconds timeout) requires streams_reply<C>
    {
        return next_until(after(timeout));
    }

    /// The items of the reply as an input range, from the next one on: for a loop, once. The stream
    /// must stay where it is meanwhile.
    class iterator;
    iterator begin() requires streams_reply<C> { return ++iterator(this); }
    std::default_sentinel_t end() const noexcept requires streams_reply<C> { return {}; }

    /// Sends one item of the upload. Waits where the daemon's window is full, or too much is
    /// unsent; what the system does not take at once leaves in the operations that follow.
    template <class I>
    requires(streams_upload<C>&& std::same_as<I, upload_item_t<C>>) void send(const I& what)
    {
        call_->send(detail::encode_item(what), forever());
    }
    /// The same, not longer than this: then errc::deadline_exceeded, it was not sent, and the
    /// stream goes on.
    template <class I>
    requires(streams_upload<C>&& std::same_as<I, upload_item_t<C>>) void send(
        const I& what, std::chrono::nanoseconds timeout)
    {
        call_->send(detail::encode_item(what), after(timeout));
    }
    /// The upload is complete. Does not wait.
    void end_upload() requires streams_upload<C> { call_->end_upload(); }

    /// Ends the upload, and waits for the reply of a call that does not stream its reply; once.
    reply_t<C> finish() requires(!streams_reply<C>)
    {
        call_->end_upload();
        detail::arrival what = call_->result();
        if constexpr (!std::is_void_v<reply_t<C>>) {
            reply_t<C> reply{};
            detail::decode_arrival(what, call_->bounds(), reply);
            call_->check(what);
            return reply;
        }
    }

    /// Gives the call up where it is not over. Later operations throw errc::cancelled.
    void close() noexcept { call_->close(); }

private:
    using time_point = detail::blocking_stream_call::time_point;
    static constexpr time_point forever() noexcept { return time_point::max(); }
    static time_point after(std::chrono::nanoseconds timeout) noexcept
    {
        const time_point now = time_point::clock::now();
        return timeout < forever() - now ? now + timeout : forever();
    }
    std::optional<item> next_until(time_point until)
    {
        std::optional<item> next;
        detail::arrival what = call_->receive(until);
        if (what.has_bytes) {
            detail::decode_arrival(what, call_->bounds(), next.emplace());
            call_->check(what);
        }
        return next;
    }

    std::unique_ptr<detail::blocking_stream_call> call_;
    std::optional<item> current_; ///< of the iterators
};

template <command C>
requires(streams_reply<C> || streams_upload<C>) class blocking_stream<C>::iterator {
public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = item;
    using difference_type = std::ptrdiff_t;

    explicit iterator(blocking_stream* of) noexcept : of_(of) {}
    item& operator*() const noexcept { return *of_->current_; }
    item* operator->() const noexcept { return &*of_->current_; }
    iterator& operator++()
    {
        of_->current_ = of_->next();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept
    {
        return at.is_at_end();
    }

private:
    bool is_at_end() const noexcept { return !of_->current_; }

    blocking_stream* of_;
};

} // namespace wharf
