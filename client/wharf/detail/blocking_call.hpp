// A call whose caller waits for it, on the caller's stack.
#pragma once

#include <wharf/detail/call_operation.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace wharf::detail {

class blocking_core;

/// What a thread waits for.
class waited {
public:
    waited(const waited&) = delete;
    waited& operator=(const waited&) = delete;
    bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }

protected:
    waited() = default;
    ~waited() = default;
    /// The last thing that is done to it: the waiting thread may destroy it at once.
    void set_done() noexcept;

private:
    friend class blocking_core;
    std::atomic<bool> done_{false};
    std::mutex* mutex_ = nullptr; ///< of the client, which lives longer
    std::condition_variable wake_;
};

/// A call that a thread waits for.
class waited_call : public call_record, public waited {
public:
    using call_record::call_record;

protected:
    ~waited_call() = default;
};

template <class Reply>
class blocking_call final : public waited_call {
public:
    blocking_call(encoded_call&& call, const limits& bounds)
        : waited_call(std::move(call)), bounds_(bounds)
    {}
    void finish(const outcome& how, bool) override
    {
        decode(how, bounds_, result_);
        set_done();
    }
    decoded<Reply>& result() noexcept { return result_; }

private:
    const limits& bounds_;
    decoded<Reply> result_;
};

} // namespace wharf::detail
