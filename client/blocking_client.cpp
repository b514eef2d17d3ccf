// Threads that share one connection and wait: one leads, and handles what arrives for all.
#include <wharf/blocking_client.hpp>

#include "core.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <list>

namespace wharf {
namespace detail {

/// The leader waits in client_core::drive(), the others on their calls' conditions. A leader whose
/// call is done names the next one.
class blocking_core {
public:
    blocking_core(std::string_view where, const client_options& options)
        : context_(1),
          work_(context_.get_executor()),
          core_(std::make_shared<client_core>(context_.get_executor(), endpoint_of(where), options,
                                              driver::callers))
    {}
    ~blocking_core()
    {
        core_->close();
        work_.reset();
        context_.restart();
        context_.poll(); // what was cancelled lets go of the core
    }

    client_core& core() noexcept { return *core_; }

    void wait_for(waited_call& call)
    {
        using clock = std::chrono::steady_clock;
        const auto deadline = call.call().deadline;
        call.mutex_ = &mutex_;
        core_->start(call, core_->next_ticket());
        std::unique_lock held(mutex_);
        while (!call.is_done()) {
            if (clock::now() >= deadline) {
                held.unlock();
                const bool ours = core_->withdraw(call.ticket(), errc::deadline_exceeded);
                held.lock();
                if (!ours) // another thread is finishing it
                    call.wake_.wait(held, [&] { return call.is_done(); });
                break;
            }
            if (!led_) {
                led_ = true;
                held.unlock();
                while (!call.is_done() && clock::now() < deadline)
                    core_->drive(context_, deadline);
                held.lock();
                led_ = false;
                continue;
            }
            held.unlock();
            core_->send_all(deadline);
            held.lock();
            if (call.is_done() || !led_)
                continue;
            const auto place = followers_.insert(followers_.end(), &call);
            call.wake_.wait_until(held, deadline, [&] { return call.is_done() || !led_; });
            followers_.erase(place);
        }
        if (!led_ && !followers_.empty())
            followers_.front()->wake_.notify_one();
    }

private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::shared_ptr<client_core> core_;
    std::mutex mutex_;
    bool led_ = false;
    std::list<waited_call*> followers_;
};

void waited_call::set_done() noexcept
{
    std::lock_guard held(*mutex_);
    done_.store(true, std::memory_order_release);
    wake_.notify_one();
}

} // namespace detail

blocking_client::blocking_client(std::string_view where, const client_options& options)
    : core_(std::make_unique<detail::blocking_core>(where, options))
{}

blocking_client::~blocking_client() = default;

void blocking_client::close() noexcept
{
    core_->core().close();
}

const detail::client_core& blocking_client::core() const noexcept
{
    return core_->core();
}

void blocking_client::wait_for(detail::waited_call& call)
{
    core_->wait_for(call);
}

} // namespace wharf
