// Runs the conformance script with the C++ client: a line of JSON for each step, as client.py.
#include <wharf/client.hpp>
#include <wharf/json_call.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

json::object to_result(const wharf::error& e)
{
    json::object result{{"error", wharf::to_name(e.code())}};
    if (e.retry_after().count() != 0)
        result["retry_ms"] = e.retry_after().count();
    return result;
}

/// Text that is no JSON travels as it is.
std::string text_of(const json::object& step, std::string_view key)
{
    if (const json::value* raw = step.if_contains("raw"))
        return std::string(raw->as_string());
    const json::value* value = step.if_contains(key);
    return value != nullptr ? json::serialize(*value) : "{}";
}

std::string command_of(const json::object& step)
{
    return std::string(step.at("command").as_string());
}

wharf::call_options options_of(const json::object& step)
{
    wharf::call_options options;
    if (const json::value* timeout = step.if_contains("timeout_ms"))
        options.timeout = std::chrono::milliseconds(timeout->as_int64());
    return options;
}

asio::awaitable<json::object> run_call(wharf::client& through, const json::object& step)
{
    auto pending = wharf::async_call_json(through, command_of(step), text_of(step, "argument"),
                                          options_of(step));
    const wharf::json_text reply = co_await std::move(pending);
    json::object result;
    result["reply"] = json::parse(reply.text);
    co_return result;
}

/// All calls are sent before the first answer is asked for.
asio::awaitable<json::object> run_pipeline(wharf::client& through, const json::object& step)
{
    struct answer {
        wharf::error_code failure;
        std::string text;
    };
    const json::array& arguments = step.at("arguments").as_array();
    std::vector<answer> answers(arguments.size());
    asio::steady_timer done(through.get_executor(), asio::steady_timer::time_point::max());
    std::size_t left = arguments.size();
    for (std::size_t i = 0; i < arguments.size(); ++i)
        wharf::async_call_json(through, command_of(step), json::serialize(arguments[i]),
                               options_of(step),
                               [&, i](wharf::error_code failure, wharf::json_text reply) {
                                   answers[i] = {failure, std::move(reply.text)};
                                   if (--left == 0)
                                       done.cancel();
                               });
    while (left != 0) {
        wharf::error_code ignored;
        co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    json::array replies;
    for (const answer& each : answers) {
        if (each.failure)
            throw wharf::error(static_cast<wharf::errc>(each.failure.value()));
        replies.push_back(json::parse(each.text));
    }
    json::object result;
    result["replies"] = std::move(replies);
    co_return result;
}

asio::awaitable<void> send_all(wharf::json_stream& to, const json::array& items)
{
    for (const json::value& each : items) {
        const wharf::json_text item{json::serialize(each)};
        co_await to.async_send(item);
    }
    to.end_upload();
}

/// Items until the end, an error, or as many as the step takes before it cancels the call.
asio::awaitable<json::object> run_stream(wharf::client& through, const json::object& step)
{
    wharf::json_stream talk(through, command_of(step), text_of(step, "argument"), options_of(step));
    if (const json::value* upload = step.if_contains("upload"))
        asio::co_spawn(through.get_executor(), send_all(talk, upload->as_array()), asio::detached);
    json::object result;
    json::array items;
    const json::value* take = step.if_contains("take");
    std::exception_ptr failed;
    try {
        while (take == nullptr || items.size() < std::size_t(take->as_int64())) {
            const std::optional<wharf::json_text> item = co_await talk.async_next();
            if (!item)
                break;
            items.push_back(json::parse(item->text));
        }
        if (take == nullptr) {
            const wharf::json_text reply = co_await talk.async_result();
            result["reply"] = reply.text.empty() ? json::value() : json::parse(reply.text);
        }
    }
    catch (const wharf::error& e) {
        result = to_result(e);
    }
    result["items"] = std::move(items);
    co_return result;
}

asio::awaitable<json::object> run_step(wharf::client& through, const json::object& step)
{
    const json::string& kind = step.at("do").as_string();
    if (kind == "stream")
        return run_stream(through, step);
    return kind == "pipeline" ? run_pipeline(through, step) : run_call(through, step);
}

asio::awaitable<void> run(wharf::client& through, const json::array& script)
{
    for (const json::value& step : script) {
        json::object result;
        try {
            result = co_await run_step(through, step.as_object());
        }
        catch (const wharf::error& e) {
            result = to_result(e);
        }
        const std::string line = json::serialize(result);
        std::printf("%s\n", line.c_str());
    }
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc != 3)
        throw std::runtime_error("usage: client ENDPOINT SCRIPT");
    std::ifstream file(argv[2]);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const json::value script = json::parse(text);
    asio::io_context context(1);
    wharf::client client(context, argv[1]);
    asio::co_spawn(context, run(client, script.as_array()), [&](std::exception_ptr failure) {
        client.close();
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
