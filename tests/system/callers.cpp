// Many clients that change objects without a pause for the daemon's troubles, and count what they
// see.
//   system_callers CLIENTS PERIOD_MS ENDPOINT...
// Prints "ready" when each client has had an answer. Each line of standard input is answered with
// one of JSON about the time since the line before; the end of standard input ends the program.
#include <wharf/client.hpp>
#include <wharf/objects.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using wharf::errc;

/// How often it is seen whether there were enough calls.
constexpr std::chrono::milliseconds look_again(5);

/// Between two lines of standard input.
struct counts {
    std::uint64_t calls = 0;               ///< answered as they should be
    std::map<std::string, int> errors;     ///< what callers saw, by errc
    std::map<std::string, int> pauses;     ///< why connections were lost or not made, by errc
    std::uint64_t wrong = 0;               ///< changes that were lost, or made twice
    std::string first_wrong;               ///< which, or the first error's text
    std::vector<std::uint32_t> latency_us; ///< of the calls answered
};

void note(counts& in, const std::string& what)
{
    if (in.first_wrong.empty())
        in.first_wrong = what;
}

void print_map(const char* name, const std::map<std::string, int>& of)
{
    std::printf("\"%s\": {", name);
    const char* separator = "";
    for (const auto& [key, count] : of)
        std::printf("%s\"%s\": %d", std::exchange(separator, ", "), key.c_str(), count);
    std::printf("}, ");
}

std::uint32_t percentile(const std::vector<std::uint32_t>& sorted, double part)
{
    if (sorted.empty())
        return 0;
    const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return sorted[std::min(at, sorted.size() - 1)];
}

void print(counts& of)
{
    std::sort(of.latency_us.begin(), of.latency_us.end());
    std::printf("{\"calls\": %llu, \"wrong\": %llu, ", static_cast<unsigned long long>(of.calls),
                static_cast<unsigned long long>(of.wrong));
    print_map("errors", of.errors);
    print_map("pauses", of.pauses);
    std::replace_if(
        of.first_wrong.begin(), of.first_wrong.end(),
        [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; }, '\'');
    std::printf("\"first_wrong\": \"%s\", \"p50_us\": %u, \"p99_us\": %u, \"p999_us\": %u, "
                "\"max_us\": %u}\n",
                of.first_wrong.c_str(), percentile(of.latency_us, 0.5),
                percentile(of.latency_us, 0.99), percentile(of.latency_us, 0.999),
                percentile(of.latency_us, 1));
    std::fflush(stdout);
}

/// One client, which is alone in changing its object: each change expects the revision of the last.
class caller {
public:
    caller(asio::io_context& context, const std::string& where, std::string key,
           std::chrono::milliseconds period, counts& into)
        : client_(context, where),
          timer_(context),
          key_(std::move(key)),
          period_(period),
          into_(into)
    {
        client_.on_state([this](wharf::client_state state, const wharf::error* why) {
            if (state == wharf::client_state::backoff)
                ++into_.pauses[why ? std::string(to_name(why->code())) : "none"];
        });
    }
    bool is_answered() const { return answered_; }

    /// The first call comes within the first period: callers are spread over it.
    asio::awaitable<void> run(std::chrono::milliseconds first)
    {
        co_await read_back();
        clock::time_point next = clock::now() + first;
        for (;;) {
            timer_.expires_at(next);
            co_await timer_.async_wait(asio::use_awaitable);
            const clock::time_point begin = clock::now();
            if (co_await change())
                into_.latency_us.push_back(static_cast<std::uint32_t>(
                    std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begin)
                        .count()));
            else
                co_await read_back();
            next = std::max(next + period_, clock::now());
        }
    }

private:
    /// False where the outcome is to be looked up.
    asio::awaitable<bool> change()
    {
        wharf::objects::cas command{key_, revision_, std::vector<std::byte>(sizeof number_), 0};
        const std::uint64_t number = number_ + 1;
        std::memcpy(command.value.data(), &number, sizeof number);
        try {
            const wharf::objects::written done = co_await client_.async_call(command);
            revision_ = done.revision;
            number_ = number;
            ++into_.calls;
            co_return true;
        }
        catch (const wharf::error& e) {
            ++into_.errors[std::string(to_name(e.code()))];
            if (e.code() == errc::conflict)
                ++into_.wrong;
            note(into_, e.what());
        }
        co_return false;
    }

    /// The object is as the last answer said, or as one call more has left it.
    asio::awaitable<void> read_back()
    {
        const wharf::objects::get command{key_};
        for (;;) {
            try {
                const wharf::objects::object found = co_await client_.async_call(command);
                std::uint64_t number = 0;
                std::memcpy(&number, found.value.data(),
                            std::min(sizeof number, found.value.size()));
                if (answered_ && number != number_ && number != number_ + 1) {
                    ++into_.wrong;
                    note(into_, key_ + " is " + std::to_string(number) + " after " +
                                    std::to_string(number_));
                }
                number_ = number;
                revision_ = found.revision;
                break;
            }
            catch (const wharf::error& e) {
                if (e.code() == errc::not_found)
                    break;
                ++into_.errors[std::string(to_name(e.code()))];
                note(into_, e.what());
            }
        }
        answered_ = true;
    }

    wharf::client client_;
    asio::steady_timer timer_;
    std::string key_;
    std::chrono::milliseconds period_;
    counts& into_;
    std::uint64_t number_ = 0;
    std::uint64_t revision_ = 0;
    bool answered_ = false;
};

asio::awaitable<void> report(const std::vector<std::unique_ptr<caller>>& callers, counts& from)
{
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    while (!std::all_of(callers.begin(), callers.end(),
                        [](const auto& each) { return each->is_answered(); })) {
        timer.expires_after(look_again);
        co_await timer.async_wait(asio::use_awaitable);
    }
    std::puts("ready");
    std::fflush(stdout);
    asio::posix::stream_descriptor input(executor, ::dup(STDIN_FILENO));
    asio::streambuf buffer;
    try {
        for (;;) {
            const std::size_t line =
                co_await asio::async_read_until(input, buffer, '\n', asio::use_awaitable);
            const std::uint64_t calls =
                std::strtoull(static_cast<const char*>(buffer.data().data()), nullptr, 10);
            buffer.consume(line);
            while (from.calls < calls) { // the callers go on meanwhile
                timer.expires_after(look_again);
                co_await timer.async_wait(asio::use_awaitable);
            }
            print(from);
            from = {};
        }
    }
    catch (const boost::system::system_error&) {
        // Calls are in flight: nobody waits for them.
        std::_Exit(0);
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 4)
        return 2;
    const int clients = std::atoi(argv[1]);
    const std::chrono::milliseconds period(std::atoi(argv[2]));
    asio::io_context context(1);
    counts all;
    std::vector<std::unique_ptr<caller>> callers;
    for (int i = 0; i != clients; ++i) {
        callers.push_back(std::make_unique<caller>(context, argv[3 + i % (argc - 3)],
                                                   "caller/" + std::to_string(i), period, all));
        asio::co_spawn(context, callers.back()->run(period * i / clients), asio::detached);
    }
    asio::co_spawn(context, report(callers, all), asio::detached);
    context.run();
}
