// How items and completion tokens become operations of a stream_channel, and a call that streams.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/call_operation.hpp>
#include <wharf/detail/caller.hpp>
#include <wharf/detail/stream_channel.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace wharf::detail {

/// An item as it travels, or why it cannot.
struct encoded_item {
    byte_buffer bytes;
    std::unique_ptr<error> failure;
};

template <class T>
encoded_item encode_item(const T& what)
{
    encoded_item item{take_scratch(), nullptr};
    try {
        store_archive out(item.bytes);
        out << what;
        out.flush();
    }
    catch (const error& e) {
        item.failure = std::make_unique<error>(e);
    }
    return item;
}

/// Throws the error of an arrival that has one, after its text went where the caller asked.
void throw_failure(arrival& of, std::string* diagnostics);

/// Leaves an error where the bytes do not load, and gives their memory back.
template <class Value>
void decode_arrival(arrival& from, const limits& bounds, Value& value)
{
    message_owner owner(std::move(from.bytes));
    if (!from.failure && from.has_bytes) {
        try {
            decode_reply(owner.view(), owner.view().size() < shared_bytes_min ? nullptr : &owner,
                         bounds, value);
        }
        catch (const error& e) {
            from.failure = std::make_unique<error>(e);
        }
    }
    put_scratch(owner.take_unshared());
}

template <class Failure>
Failure to_failure_of(arrival& from, std::string* diagnostics)
{
    if (!from.failure)
        return Failure();
    if (diagnostics)
        *diagnostics = from.failure->text();
    if constexpr (std::is_same_v<Failure, error_code>)
        return make_error_code(from.failure->code());
    else
        return std::make_exception_ptr(std::move(*from.failure));
}

/// What a handler is given: the arrival itself.
struct deliver_arrival {
    template <class Handler>
    void operator()(Handler&& handler, arrival&& what)
    {
        std::move(handler)(std::move(what));
    }
};
/// ... whether it went well.
template <class Failure>
struct deliver_failure {
    std::string* diagnostics = nullptr;
    template <class Handler>
    void operator()(Handler&& handler, arrival&& what)
    {
        std::move(handler)(to_failure_of<Failure>(what, diagnostics));
    }
};
/// ... an item, or nothing.
template <class T, class Failure>
struct deliver_item {
    limits bounds;
    std::string* diagnostics = nullptr;
    template <class Handler>
    void operator()(Handler&& handler, arrival&& what)
    {
        std::optional<T> item;
        if (what.has_bytes)
            decode_arrival(what, bounds, item.emplace());
        if (what.failure)
            item.reset();
        Failure failure = to_failure_of<Failure>(what, diagnostics);
        std::move(handler)(std::move(failure), std::move(item));
    }
};
/// ... a reply.
template <class Reply, class Failure>
struct deliver_reply {
    limits bounds;
    std::string* diagnostics = nullptr;
    template <class Handler>
    void operator()(Handler&& handler, arrival&& what)
    {
        Reply reply{};
        decode_arrival(what, bounds, reply);
        Failure failure = to_failure_of<Failure>(what, diagnostics);
        std::move(handler)(std::move(failure), std::move(reply));
    }
};

/// A waiting operation whose end goes to a completion handler.
template <class Deliver, class Handler>
class handler_waiter final : public stream_waiter {
public:
    static stream_waiter& make(const std::shared_ptr<stream_waiting>& in,
                               const boost::asio::any_io_executor& executor, Deliver deliver,
                               Handler&& handler)
    {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        allocator memory(boost::asio::get_associated_allocator(handler));
        handler_waiter* waiter = std::allocator_traits<allocator>::allocate(memory, 1);
        ::new (static_cast<void*>(waiter))
            handler_waiter(executor, std::move(deliver), std::move(handler));
        waiter->ticket = in->next_ticket();
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr(in),
                         named = waiter->ticket](boost::asio::cancellation_type type) {
                if (type != boost::asio::cancellation_type::none)
                    if (auto alive = weak.lock())
                        alive->cancel(named);
            });
        return *waiter;
    }

    void complete(arrival&& what) override
    {
        auto work = std::move(work_);
        completion done{std::move(handler_), std::move(deliver_), std::move(what)};
        free(done.handler);
        boost::asio::post(work, std::move(done));
    }

    void abandon() noexcept override
    {
        Handler handler(std::move(handler_));
        free(handler);
    }

private:
    struct completion {
        Handler handler;
        Deliver deliver;
        arrival what;
        void operator()()
        {
            // The slot may outlive the handler: let it forget this operation first.
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.clear();
            deliver(std::move(handler), std::move(what));
        }
    };
    using allocator = typename std::allocator_traits<
        boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<handler_waiter>;
    using executor_type = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
    using work_type = std::decay_t<decltype(boost::asio::prefer(
        std::declval<executor_type>(), boost::asio::execution::outstanding_work.tracked))>;

    handler_waiter(const boost::asio::any_io_executor& executor, Deliver&& deliver,
                   Handler&& handler)
        : work_(boost::asio::prefer(boost::asio::get_associated_executor(handler, executor),
                                    boost::asio::execution::outstanding_work.tracked)),
          deliver_(std::move(deliver)),
          handler_(std::move(handler))
    {}
    ~handler_waiter() = default;

    /// The memory goes back first, so that the handler's next operation can have it.
    void free(const Handler& moved_out) noexcept
    {
        allocator memory(boost::asio::get_associated_allocator(moved_out));
        this->~handler_waiter();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
    }

    work_type work_;
    Deliver deliver_;
    Handler handler_;
};

template <class Deliver, class Handler>
stream_waiter& make_waiter(const std::shared_ptr<stream_waiting>& in,
                           const boost::asio::any_io_executor& executor, Deliver deliver,
                           Handler&& handler)
{
    using type = std::decay_t<Handler>;
    return handler_waiter<Deliver, type>::make(in, executor, std::move(deliver),
                                               type(std::forward<Handler>(handler)));
}

template <class Deliver>
struct send_initiation {
    std::shared_ptr<stream_channel> to;
    encoded_item item;
    Deliver deliver;
    template <class Handler>
    void operator()(Handler&& handler)
    {
        stream_waiter& waiter =
            make_waiter(to, to->get_executor(), std::move(deliver), std::forward<Handler>(handler));
        if (item.failure) {
            arrival failed;
            failed.failure = std::move(item.failure);
            waiter.complete(std::move(failed));
        }
        else
            to->async_send(std::move(item.bytes), waiter);
    }
};

template <class Deliver>
struct receive_initiation {
    std::shared_ptr<stream_channel> from;
    Deliver deliver;
    template <class Handler>
    void operator()(Handler&& handler)
    {
        from->async_receive(make_waiter(from, from->get_executor(), std::move(deliver),
                                        std::forward<Handler>(handler)));
    }
};

template <class Token>
struct awaits {
    static constexpr bool value = false;
};
template <class Executor>
struct awaits<boost::asio::use_awaitable_t<Executor>> {
    static constexpr bool value = true;
    using executor = Executor;
};

/// Suspends only where the item has to wait: a handler that sends many small ones does not go
/// through its executor for each.
template <class Executor>
boost::asio::awaitable<void, Executor> send_awaited(std::shared_ptr<stream_channel> to,
                                                    encoded_item item, std::string* diagnostics)
{
    arrival how;
    how.failure = std::move(item.failure);
    if (!how.failure && to->try_send(item.bytes.view())) {
        put_scratch(std::move(item.bytes));
        co_return;
    }
    if (!how.failure) {
        constexpr boost::asio::use_awaitable_t<Executor> token;
        // Named before it is awaited: g++ 12 destroys temporaries of a co_await twice.
        auto pending = boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                   void(arrival)>(
            send_initiation<deliver_arrival>{to, std::move(item), {}}, token);
        how = co_await std::move(pending);
    }
    throw_failure(how, diagnostics);
}

template <class T, class Executor>
boost::asio::awaitable<std::optional<T>, Executor>
receive_awaited(std::shared_ptr<stream_channel> from, std::string* diagnostics)
{
    arrival next;
    next.bytes = take_scratch();
    if (!from->try_receive(next)) {
        put_scratch(std::move(next.bytes));
        constexpr boost::asio::use_awaitable_t<Executor> token;
        auto pending = boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                   void(arrival)>(
            receive_initiation<deliver_arrival>{from, {}}, token);
        next = co_await std::move(pending);
    }
    throw_failure(next, diagnostics);
    std::optional<T> item;
    if (next.has_bytes)
        decode_arrival(next, from->decode_limits(), item.emplace());
    throw_failure(next, diagnostics);
    co_return item;
}

template <class Token>
using failure_of = std::conditional_t<throws<std::decay_t<Token>>, std::exception_ptr, error_code>;

template <class Token>
auto send_item(const std::shared_ptr<stream_channel>& to, encoded_item&& item,
               std::remove_reference_t<Token>& token, std::string* diagnostics = nullptr)
{
    using type = std::decay_t<Token>;
    if constexpr (awaits<type>::value) {
        return send_awaited<typename awaits<type>::executor>(to, std::move(item), diagnostics);
    }
    else {
        using failure = failure_of<Token>;
        return boost::asio::async_initiate<Token, void(failure)>(
            send_initiation<deliver_failure<failure>>{to, std::move(item), {diagnostics}}, token);
    }
}

template <class T, class Token>
auto receive_item(const std::shared_ptr<stream_channel>& from,
                  std::remove_reference_t<Token>& token, std::string* diagnostics = nullptr)
{
    using type = std::decay_t<Token>;
    if constexpr (awaits<type>::value) {
        return receive_awaited<T, typename awaits<type>::executor>(from, diagnostics);
    }
    else {
        using failure = failure_of<Token>;
        return boost::asio::async_initiate<Token, void(failure, std::optional<T>)>(
            receive_initiation<deliver_item<T, failure>>{from,
                                                         {from->decode_limits(), diagnostics}},
            token);
    }
}

/// A call with streams: shared by the stream object of its user and, until it is finished, by
/// itself, for the caller that it is in flight in.
class stream_call final : public call_record,
                          public stream_waiting,
                          public std::enable_shared_from_this<stream_call> {
public:
    /// Hands the call over; it is named by `ticket` there.
    static std::shared_ptr<stream_call> start(const std::shared_ptr<caller>& through,
                                              const boost::asio::any_io_executor& executor,
                                              encoded_call&& call, bool receives, bool sends);
    stream_call(const std::shared_ptr<caller>& through,
                const boost::asio::any_io_executor& executor, encoded_call&& call);
    ~stream_call();

    void finish(const outcome& how, bool within) override;

    /// Gives the call up where it is not over, and drops what arrived.
    void close() noexcept;

    std::string* diagnostics() const noexcept { return call().diagnostics; }
    const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
    const limits& bounds() const noexcept { return through_->decode_limits(); }

    /// The reply as bytes, once; errc::bad_argument for a second waiter.
    void wait_for_result(stream_waiter& waiter);
    void cancel(std::uint64_t ticket) override;

private:
    void deliver();

    const std::shared_ptr<caller> through_;
    const boost::asio::any_io_executor executor_;
    std::shared_ptr<stream_call> self_; ///< until it is finished
    std::uint64_t ticket_ = 0;
    std::atomic<bool> is_finished_{false};

    std::mutex mutex_;
    std::optional<arrival> result_;
    bool is_taken_ = false;
    stream_waiter* waiter_ = nullptr;
};

template <class Deliver>
struct result_initiation {
    std::shared_ptr<stream_call> of;
    Deliver deliver;
    template <class Handler>
    void operator()(Handler&& handler)
    {
        of->wait_for_result(
            make_waiter(of, of->executor(), std::move(deliver), std::forward<Handler>(handler)));
    }
};

template <class Reply, class Token>
auto async_result(const std::shared_ptr<stream_call>& of, std::remove_reference_t<Token>& token)
{
    using failure = failure_of<Token>;
    if constexpr (std::is_void_v<Reply>)
        return boost::asio::async_initiate<Token, void(failure)>(
            result_initiation<deliver_failure<failure>>{of, {of->diagnostics()}}, token);
    else
        return boost::asio::async_initiate<Token, void(failure, Reply)>(
            result_initiation<deliver_reply<Reply, failure>>{of, {of->bounds(), of->diagnostics()}},
            token);
}

template <command C>
std::shared_ptr<stream_call> start_stream(const std::shared_ptr<caller>& through,
                                          const boost::asio::any_io_executor& executor,
                                          const C& what, const call_options& options)
{
    encoded_call call = encode_call<C>(*through, what, options);
    call.is_open_ended = !options.timeout;
    return stream_call::start(through, executor, std::move(call), streams_reply<C>,
                              streams_upload<C>);
}

} // namespace wharf::detail
