// What a thread waits for, on its own stack: a call, or an operation of a stream.
#pragma once

#include <wharf/detail/call_operation.hpp>

#include <atomic>
#include <condition_variable>

namespace wharf::detail {

class blocking_core;

/// What a thread waits for.
class waited {
public:
    waited(const waited&) = delete;
    waited& operator=(const waited&) = delete;

protected:
    waited() = default;
    ~waited() = default;
    /// The last thing that is done to it: the waiting thread may destroy it at once.
    void set_done() noexcept;

private:
    friend class blocking_core;
    std::atomic<bool> done_{false};
    blocking_core* core_ = nullptr; ///< which lives longer
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
