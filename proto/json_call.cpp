// What calls in JSON send and receive: the texts themselves.
#include <wharf/json_call.hpp>

#include "json_entry.hpp"

namespace wharf::detail {

encoded_call encode_json_call(caller& through, std::string_view command, std::string_view argument,
                              const call_options& options)
{
    encoded_call call;
    call.deadline = deadline_of(through, options);
    call.diagnostics = options.diagnostics;
    try {
        call.name = through.keep_name(std::string(command) + std::string(json_suffix));
        byte_buffer scratch = take_scratch();
        scratch.append(argument.data(), argument.size());
        call.message = message_bytes(scratch);
        put_scratch(std::move(scratch));
    }
    catch (const error& e) {
        call.failure = std::make_unique<error>(e);
    }
    return call;
}

void decode_reply(std::span<const std::byte> message, message_owner*, const limits&,
                  json_text& value)
{
    value.text.assign(reinterpret_cast<const char*>(message.data()), message.size());
}

encoded_item encode_item(const json_text& what)
{
    encoded_item item{take_scratch(), nullptr};
    item.bytes.append(what.text.data(), what.text.size());
    return item;
}

std::shared_ptr<stream_call> start_json_stream(const std::shared_ptr<caller>& through,
                                               const boost::asio::any_io_executor& executor,
                                               std::string_view command, std::string_view argument,
                                               const call_options& options)
{
    encoded_call call = encode_json_call(*through, command, argument, options);
    call.is_open_ended = !options.timeout;
    return stream_call::start(through, executor, std::move(call), true, true);
}

} // namespace wharf::detail
