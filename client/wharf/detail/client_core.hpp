// What the templates of the clients need of the part that is compiled once.
#pragma once

#include <wharf/client_options.hpp>
#include <wharf/detail/call_record.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>

namespace wharf::detail {

class client_core;

/// Empty `where`: WHARF_ENDPOINT from the environment, else the default endpoint.
/// Throws error(errc::bad_endpoint).
std::shared_ptr<client_core> make_core(const boost::asio::any_io_executor& executor,
                                       std::string_view where, const client_options& options);

/// A name for a call, for withdraw_call(); never used twice.
std::uint64_t next_ticket(client_core& core) noexcept;
/// Hands over a call; it is finished later, never inside this function.
void start_call(client_core& core, call_record& record, std::uint64_t ticket);
/// Finishes a call that is not finished yet with this code. A call that was sent keeps its
/// connection; its late reply is dropped. False: it has been finished, or is being finished.
bool withdraw_call(client_core& core, std::uint64_t ticket, errc code);
/// Finishes every call with errc::cancelled and closes the connection; later calls fail the same.
void close_core(client_core& core) noexcept;

const client_options& options_of(const client_core& core) noexcept;

/// A buffer to encode into, from a place where this thread keeps one; put it back.
byte_buffer take_scratch() noexcept;
void put_scratch(byte_buffer&& scratch) noexcept;

/// The absolute deadline of a call that is made now.
std::chrono::steady_clock::time_point deadline_of(const client_core& core,
                                                  const call_options& options) noexcept;

} // namespace wharf::detail
