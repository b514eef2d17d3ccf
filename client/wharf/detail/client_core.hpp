// How a client gets the part of it that is compiled once.
#pragma once

#include <wharf/client_options.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>

namespace wharf::detail {

class client_core;

/// Empty `where`: WHARF_ENDPOINT from the environment, else the default endpoint.
/// Throws error(errc::bad_endpoint).
std::shared_ptr<client_core> make_core(const boost::asio::any_io_executor& executor,
                                       std::string_view where, const client_options& options);

} // namespace wharf::detail
