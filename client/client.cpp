// The parts of the asynchronous client that know no types.
#include <wharf/client.hpp>

namespace wharf {

client::client(const executor_type& executor, std::string_view where, const client_options& options)
    : executor_(executor), core_(detail::make_core(executor, where, options))
{}

client::~client()
{
    close();
}

void client::close() noexcept
{
    detail::close_core(*core_);
}

} // namespace wharf
