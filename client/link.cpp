// What a session_handle to a client's connection does.
#include "link.hpp"

#include "core.hpp"

namespace wharf::detail {

void link::start(call_record& record, std::uint64_t ticket)
{
    record.ticket = named(ticket);
    owner_->start_on(*this, record);
}

bool link::withdraw(std::uint64_t ticket, errc code)
{
    return owner_->withdraw(named(ticket), code);
}

std::shared_ptr<stream_channel> link::make_channel(bool receives, bool sends)
{
    return owner_->make_channel(receives, sends);
}

const limits& link::decode_limits() const noexcept
{
    return owner_->decode_limits();
}

std::chrono::nanoseconds link::default_timeout() const noexcept
{
    return owner_->default_timeout();
}

void link::close(errc why, std::string text)
{
    owner_->close_link(shared_from_this(), why, std::move(text));
}

std::shared_ptr<void>& link::state(std::type_index type)
{
    return states_[type];
}

} // namespace wharf::detail
