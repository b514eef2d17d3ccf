// The parts of the asynchronous client that know no types.
#include <wharf/client.hpp>

#include "core.hpp"

namespace wharf {

client::client(const executor_type& executor, std::string_view where, const client_options& options)
    : executor_(executor), core_(detail::make_core(executor, where, options))
{}

client::~client()
{
    core_->end();
}

void client::on_connect(connect_hook hook)
{
    core_->on_connect(std::move(hook));
}

void client::on_state(state_hook hook)
{
    core_->on_state(std::move(hook));
}

std::size_t client::in_flight() const noexcept
{
    return core_->in_flight();
}

void client::close() noexcept
{
    core_->close();
}

std::shared_ptr<detail::caller> client::through() const noexcept
{
    return core_;
}

router& client::commands()
{
    return core_->commands();
}

void client::keep(std::shared_ptr<void> service)
{
    core_->keep(std::move(service));
}

} // namespace wharf
