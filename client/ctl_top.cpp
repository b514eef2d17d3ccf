// A daemon under one's eyes: looks at its metrics, draws, and listens to keys and signals.
#include "ctl_top.hpp"

#include "ctl_io.hpp"
#include "ctl_program.hpp"
#include "ctl_terminal.hpp"
#include "ctl_text.hpp"
#include "ctl_top_screen.hpp"

#include <wharf/client.hpp>
#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <csignal>
#include <thread>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace wharf::ctl {
namespace asio = boost::asio;

namespace {

using clock = std::chrono::steady_clock;

/// What `wharfctl top` was told.
struct top_arguments {
    double interval_s = 1;
    std::uint64_t count = 0; ///< 0: until it is stopped
    std::string sort = "calls";
};

const std::map<std::string, sort_column> sorts{
    {"name", sort_column::name},     {"calls", sort_column::calls},
    {"errors", sort_column::errors}, {"p50", sort_column::p50},
    {"p99", sort_column::p99},       {"in-flight", sort_column::in_flight},
    {"bytes", sort_column::bytes}};

clock::duration to_duration(double seconds)
{
    return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
}

/// Two looks and what was between them.
class looker {
public:
    /// The first look gives nothing to compare.
    std::optional<daemon_rates> look(std::string_view metrics)
    {
        const auto now = clock::now();
        daemon_counts counts = read_counts(metrics);
        std::optional<daemon_rates> made;
        if (before_) {
            const double elapsed = std::chrono::duration<double>(now - at_).count();
            constexpr double elapsed_min = 1e-3;
            made = rates_between(*before_, counts, std::max(elapsed, elapsed_min));
        }
        before_ = std::move(counts);
        at_ = now;
        return made;
    }
    /// Another daemon answers from here on.
    void forget() { before_.reset(); }

private:
    std::optional<daemon_counts> before_;
    clock::time_point at_;
};

/// Plain text, a snapshot after each interval.
int print_snapshots(context& c, top_view view, std::uint64_t count)
{
    looker looks;
    looks.look(c.client().call(system::metrics{}));
    for (std::uint64_t i = 0; count == 0 || i != count; ++i) {
        std::this_thread::sleep_for(to_duration(view.interval_s));
        const auto figures = looks.look(c.client().call(system::metrics{}));
        print(c.as_json ? json_of(view, *figures) : draw_snapshot(view, *figures));
    }
    return 0;
}

/// The live screen. All of it runs in one thread, in run().
class live_screen {
public:
    live_screen(const context& c, top_view view)
        : view_(std::move(view)),
          through_(loop_, c.endpoint, patient(c.options)),
          next_look_(loop_),
          signals_(loop_, SIGINT, SIGTERM, SIGHUP),
          keys_(loop_)
    {
        signals_.add(SIGQUIT);
        signals_.add(SIGWINCH);
        signals_.add(SIGTSTP);
    }

    /// Returns 0, or does not return where a signal ended it: then the program dies of it.
    int run()
    {
        through_.on_state([this](client_state state, const error* why) { on_state(state, why); });
        if (screen_.keys() >= 0)
            keys_.assign(::dup(screen_.keys()));
        listen_for_signals();
        listen_for_keys();
        asio::co_spawn(loop_, look(), [this](std::exception_ptr failed) {
            failed_ = std::move(failed);
            stop();
        });
        draw();
        loop_.run();
        screen_.leave();
        if (died_of_ != 0) {
            std::signal(died_of_, SIG_DFL);
            std::raise(died_of_);
        }
        if (failed_)
            std::rethrow_exception(failed_);
        return 0;
    }

private:
    /// A daemon that restarts is waited for.
    static client_options patient(client_options options)
    {
        options.wait_for_ready = true;
        options.reconnect_delay_max = std::chrono::seconds(1);
        return options;
    }

    asio::awaitable<void> look()
    {
        const system::metrics metrics;
        const system::status status;
        while (!is_stopped_) {
            const auto begin = clock::now();
            try {
                if (view_.software.empty())
                    view_.software = (co_await through_.async_call(status)).software;
                take(co_await through_.async_call(metrics));
            }
            catch (const error& e) {
                if (e.code() == errc::permission_denied)
                    throw;
                if (is_stopped_)
                    co_return;
                view_.trouble = e.what();
                looks_.forget();
            }
            draw();
            // The second look, which is the first that tells something, comes soon.
            constexpr double soon_s = 0.25;
            const double pause_s =
                has_figures_ ? view_.interval_s : std::min(view_.interval_s, soon_s);
            next_look_.expires_at(begin + to_duration(pause_s));
            co_await next_look_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    void take(const std::string& metrics)
    {
        view_.trouble.clear();
        const auto figures = looks_.look(metrics);
        if (!figures || view_.is_paused)
            return;
        figures_ = *figures;
        has_figures_ = true;
        calls_.add(figures_);
    }

    void on_state(client_state state, const error* why)
    {
        if (state == client_state::backoff) {
            view_.trouble = std::string("no connection (") +
                            (why == nullptr ? "lost" : why->what()) + "): trying again";
            // It may come back as another one.
            view_.software.clear();
            looks_.forget();
            draw();
        }
    }

    void draw()
    {
        if (!has_figures_ && view_.trouble.empty())
            return;
        const terminal::extent size = screen_.size();
        top_view now = view_;
        now.width = size.width;
        now.height = size.height;
        if (now.software.empty())
            now.software = last_software_;
        else
            last_software_ = now.software;
        if (!screen_.draw(draw_screen(now, figures_, calls_)))
            stop();
    }

    void stop()
    {
        is_stopped_ = true;
        through_.close();
        loop_.stop();
    }

    void listen_for_signals()
    {
        signals_.async_wait([this](boost::system::error_code ec, int signal) {
            if (ec)
                return;
            if (signal == SIGTSTP) {
                screen_.leave();
                std::raise(SIGSTOP); // returns when the shell continues it
                screen_.enter();
            }
            else if (signal != SIGWINCH) {
                died_of_ = signal;
                return stop();
            }
            draw();
            listen_for_signals();
        });
    }

    void listen_for_keys()
    {
        if (!keys_.is_open())
            return;
        keys_.async_read_some(asio::buffer(typed_),
                              [this](boost::system::error_code ec, std::size_t n) {
                                  if (ec) // the terminal is gone
                                      return stop();
                                  press(std::string_view(typed_.data(), n));
                                  if (!is_stopped_)
                                      listen_for_keys();
                              });
    }

    void press(std::string_view typed)
    {
        constexpr std::string_view to_left = "\x1b[D", to_right = "\x1b[C";
        while (!typed.empty() && !is_stopped_) {
            if (typed.starts_with(to_left) || typed.starts_with(to_right)) {
                move_sort(typed[2] == 'C' ? 1 : sort_columns - 1);
                typed.remove_prefix(to_left.size());
                continue;
            }
            press_one(typed.front());
            typed.remove_prefix(1);
        }
        if (!is_stopped_)
            draw();
    }

    void press_one(char key)
    {
        switch (key) {
        case 'q': return stop();
        case ' ': view_.is_paused = !view_.is_paused; break;
        case 'r': view_.sort = sort_column::calls; break;
        case 'e': view_.sort = sort_column::errors; break;
        case 'p': view_.sort = sort_column::p99; break;
        case 'n': view_.sort = sort_column::name; break;
        case '<': move_sort(sort_columns - 1); break;
        case '>': move_sort(1); break;
        default: break;
        }
    }

    void move_sort(std::size_t by)
    {
        const std::size_t at = (static_cast<std::size_t>(view_.sort) + by) % sort_columns;
        view_.sort = static_cast<sort_column>(at);
    }

    asio::io_context loop_{1};
    top_view view_;
    std::string last_software_;
    daemon_rates figures_;
    bool has_figures_ = false;
    rate_history calls_;
    looker looks_;
    client through_;
    asio::steady_timer next_look_;
    asio::signal_set signals_;
    asio::posix::stream_descriptor keys_;
    std::array<char, 64> typed_{};
    terminal screen_;
    bool is_stopped_ = false;
    int died_of_ = 0;
    std::exception_ptr failed_;
};

int top(context& c, const top_arguments& what)
{
    const auto sort = sorts.find(what.sort);
    if (sort == sorts.end())
        throw usage_error{"--sort: expected name, calls, errors, p50, p99, in-flight or bytes, "
                          "found " +
                          what.sort};
    top_view view;
    view.endpoint = c.endpoint;
    view.interval_s = what.interval_s;
    view.sort = sort->second;
    view.has_unicode = has_unicode();
    view.look = c.out;
    const bool is_live = on_terminal() && what.count == 0 && !c.as_json;
    {
        // The first call says what is wrong, before there is a screen.
        blocking_client first(c.endpoint, c.options);
        view.software = first.call(system::status{}).software;
        if (is_live)
            first.call(system::metrics{});
    }
    return is_live ? live_screen(c, view).run() : print_snapshots(c, view, what.count);
}

} // namespace

void add_top(CLI::App& app, program& to)
{
    auto* add = app.add_subcommand("top", "What the daemon does, live: commands by their rates");
    const auto what = std::make_shared<top_arguments>();
    add->add_option("-i,--interval", what->interval_s, "Seconds between two looks; 1 by default")
        ->option_text("SECONDS")
        ->check(CLI::Range(0.05, 3600.0));
    add->add_option("-n,--count", what->count, "Print so many snapshots as plain text, and stop")
        ->option_text("COUNT");
    add->add_option("-s,--sort", what->sort,
                    "name, calls, errors, p50, p99, in-flight or bytes; calls by default")
        ->option_text("COLUMN");
    add->callback([&to, what] { to.run = [what](context& c) { return top(c, *what); }; });
}

} // namespace wharf::ctl
