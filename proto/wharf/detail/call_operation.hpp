// How a command and a completion token become a call_record.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/caller.hpp>
#include <wharf/detail/command_types.hpp>
#include <wharf/detail/message_owner.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace wharf::detail {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class Executor>
inline constexpr bool is_awaitable<boost::asio::awaitable<T, Executor>> = true;

/// Stands for any operation where only the type of its result is asked for.
struct no_initiation {
    template <class... Arguments>
    void operator()(Arguments&&...) const noexcept
    {}
};
template <class Token, class Signature>
using result_of_token = decltype(boost::asio::async_initiate<Token, Signature>(
    no_initiation(), std::declval<std::remove_reference_t<Token>&>()));

/// May this operand, named by I as a forwarding reference, stand where the result of the operation
/// may be awaited? g++ 12 destroys an aggregate temporary inside a co_await expression twice.
template <class I, class Token, class Signature>
inline constexpr bool is_safe_operand =
    std::is_lvalue_reference_v<I> || !std::is_aggregate_v<std::remove_cvref_t<I>> ||
    std::is_trivially_destructible_v<std::remove_cvref_t<I>> ||
    !is_awaitable<result_of_token<Token, Signature>>;

/// Tokens that throw: they get wharf::error with the peer's text instead of an error_code.
template <class Token>
inline constexpr bool throws = false;
template <class Executor>
inline constexpr bool throws<boost::asio::use_awaitable_t<Executor>> = true;
template <class Allocator>
inline constexpr bool throws<boost::asio::use_future_t<Allocator>> = true;

template <class Reply, class Failure>
struct signature_of {
    using type = void(Failure, Reply);
};
template <class Failure>
struct signature_of<void, Failure> {
    using type = void(Failure);
};

/// Encodes a command; what goes wrong is reported when the call completes.
template <command C>
encoded_call encode_call(const caller& through, const C& what, const call_options& options)
{
    encoded_call call;
    call.name = C::name;
    call.types = &types_of_command<C>;
    call.deadline = deadline_of(through, options);
    call.diagnostics = options.diagnostics;
    byte_buffer scratch = take_scratch();
    try {
        store_archive out(scratch);
        out << what;
        out.flush();
        call.message = message_bytes(scratch);
    }
    catch (const error& e) {
        call.failure = std::make_unique<error>(e);
    }
    put_scratch(std::move(scratch));
    return call;
}

/// Loads a whole reply, whose attachments may share its memory. Throws wharf::error.
template <class Reply>
void decode_reply(std::span<const std::byte> message, message_owner* owner, const limits& bounds,
                  Reply& value)
{
    load_archive in(message, bounds);
    if (owner != nullptr) [[unlikely]]
        let_share(in, owner);
    in >> value;
    in.finish();
}

/// A reply or an error, off the connection's buffers.
template <class Reply>
struct decoded {
    Reply value{};
    std::unique_ptr<error> failure;
};
template <>
struct decoded<void> {
    std::unique_ptr<error> failure;
};

template <class Reply>
void decode(const outcome& how, const limits& bounds, decoded<Reply>& into)
{
    try {
        if (!how.ok())
            into.failure =
                std::make_unique<error>(how.code, std::string(how.text), how.retry_after);
        else if constexpr (!std::is_void_v<Reply>)
            decode_reply(how.message, how.owner, bounds, into.value);
    }
    catch (const error& e) {
        into.failure = std::make_unique<error>(e);
    }
}

/// The handler with its results: what is run on the handler's executor.
template <class Reply, class Failure, class Handler>
struct completion {
    Handler handler;
    decoded<Reply> result;
    std::string* diagnostics;

    void operator()()
    {
        // The slot may outlive the handler: let it forget this call first.
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.clear();
        Failure failure{};
        if (result.failure) {
            if (diagnostics)
                *diagnostics = result.failure->text();
            if constexpr (std::is_same_v<Failure, error_code>)
                failure = make_error_code(result.failure->code());
            else
                failure = std::make_exception_ptr(std::move(*result.failure));
        }
        if constexpr (std::is_void_v<Reply>)
            std::move(handler)(std::move(failure));
        else
            std::move(handler)(std::move(failure), std::move(result.value));
    }
};

/// A call whose end goes to a completion handler.
template <class Reply, class Failure, class Handler>
class call_operation final : public call_record {
public:
    static void start(const std::shared_ptr<caller>& through,
                      const boost::asio::any_io_executor& executor, encoded_call&& call,
                      Handler&& handler)
    {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        allocator memory(boost::asio::get_associated_allocator(handler));
        call_operation* operation = std::allocator_traits<allocator>::allocate(memory, 1);
        ::new (static_cast<void*>(operation))
            call_operation(through->decode_limits(), executor, std::move(call), std::move(handler));
        // Once started, the operation may be gone at any time: what follows uses its number only.
        const std::uint64_t ticket = through->next_ticket();
        if (slot.is_connected())
            slot.assign(
                [weak = std::weak_ptr(through), ticket](boost::asio::cancellation_type type) {
                    if (type != boost::asio::cancellation_type::none)
                        if (auto alive = weak.lock())
                            alive->withdraw(ticket, errc::cancelled);
                });
        through->start(*operation, ticket);
    }

    void finish(const outcome& how, bool within) override
    {
        decoded<Reply> result;
        decode(how, bounds_, result);
        completion<Reply, Failure, Handler> done{std::move(handler_), std::move(result),
                                                 call().diagnostics};
        auto work = std::move(work_);
        // The memory goes back first, so that the handler's next call can have it.
        allocator memory(boost::asio::get_associated_allocator(done.handler));
        this->~call_operation();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
        if (within)
            boost::asio::dispatch(work, std::move(done));
        else
            boost::asio::post(work, std::move(done));
    }

private:
    using allocator = typename std::allocator_traits<
        boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<call_operation>;
    using executor_type = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
    using work_type = std::decay_t<decltype(boost::asio::prefer(
        std::declval<executor_type>(), boost::asio::execution::outstanding_work.tracked))>;

    call_operation(const limits& bounds, const boost::asio::any_io_executor& executor,
                   encoded_call&& call, Handler&& handler)
        : call_record(std::move(call)),
          bounds_(bounds),
          work_(boost::asio::prefer(boost::asio::get_associated_executor(handler, executor),
                                    boost::asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler))
    {}
    ~call_operation() = default;

    const limits& bounds_; // of the caller, which outlives its calls
    work_type work_;
    Handler handler_;
};

/// What the token is given: it starts the call when it is run, which may be later.
template <class Reply, class Failure>
struct call_initiation {
    std::shared_ptr<caller> through;
    boost::asio::any_io_executor executor;
    encoded_call call;

    template <class Handler>
    void operator()(Handler&& handler)
    {
        call_operation<Reply, Failure, std::decay_t<Handler>>::start(
            through, executor, std::move(call),
            std::decay_t<Handler>(std::forward<Handler>(handler)));
    }
};

template <class Reply, class Token>
auto initiate_call(const std::shared_ptr<caller>& through,
                   const boost::asio::any_io_executor& executor, encoded_call&& call,
                   std::remove_reference_t<Token>& token)
{
    using failure = std::conditional_t<throws<std::decay_t<Token>>, std::exception_ptr, error_code>;
    using signature = typename signature_of<Reply, failure>::type;
    return boost::asio::async_initiate<Token, signature>(
        call_initiation<Reply, failure>{through, executor, std::move(call)}, token);
}

} // namespace wharf::detail
