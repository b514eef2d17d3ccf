// The process around a server: start, READY, signals, status and watchdog, drain.
#include "daemon_impl.hpp"

#include "log_events.hpp"
#include "log_format.hpp"

#include <wharf/store.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace wharf {

namespace {

constexpr const char* version = WHARF_VERSION;
/// How often the status that `systemctl status` shows may change.
constexpr std::chrono::seconds status_interval{3};
/// What the manager grants beyond the drain: closing sessions and the store.
constexpr std::chrono::seconds stop_reserve{10};

std::string name_of(const char* path)
{
    const std::string name = path ? std::filesystem::path(path).filename().string() : "";
    return name.empty() ? "wharfd" : name;
}

/// Prints and ends the process, before anything of it has been started.
[[noreturn]] void leave(const early_exit& how)
{
    std::fputs(how.text.c_str(), how.status == 0 ? stdout : stderr);
    if (how.status == 0 && std::fflush(stdout) != 0)
        std::exit(1);
    std::exit(how.status);
}

/// Every session is a descriptor: the limit is what the administrator allows, not the default.
void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// Passed sockets take the place of listeners; where no file lists any, of the default one too.
void adopt_sockets(config::configuration& all, const std::vector<systemd::passed_socket>& sockets)
{
    if (sockets.empty())
        return;
    server_options& options = all.server;
    const tcp_options tcp = all.tcp;
    if (!all.origins.contains("listen[0]"))
        options.listeners.clear();
    const std::size_t configured = options.listeners.size();
    systemd::adopt(options, sockets);
    for (std::size_t i = configured; i < options.listeners.size(); ++i) {
        options.listeners[i].tcp = tcp;
        all.origins["listen[" + std::to_string(i) + "]"] = {"$LISTEN_FDS"};
    }
}

[[noreturn]] void leave_wrong(const std::string& name, const std::exception& why)
{
    leave({name + ": " + why.what() + "\n", 2});
}

command_line read(int argc, char** argv, const std::string& name)
{
    try {
        return read_command_line(argc, argv, name, version);
    }
    catch (const early_exit& how) {
        leave(how);
    }
}

/// For --check and --print-config this is the end: the sockets are not theirs.
std::vector<systemd::passed_socket> take_sockets(const command_line& typed, const std::string& name)
{
    try {
        if (typed.what == command_line::action::run)
            return systemd::take_passed_sockets();
        const config::configuration all = config::load(typed.settings);
        if (typed.what == command_line::action::check)
            leave({name + ": the configuration is ok\n", 0});
        leave({config::print(all), 0});
    }
    catch (const std::exception& e) {
        leave_wrong(name, e);
    }
}

} // namespace

void keep_freed_memory(std::size_t bytes) noexcept
{
    // Both, since setting one ends glibc's own adjusting of either. The largest it takes.
    constexpr int mmap_threshold_max = 32 << 20;
    if (bytes == 0)
        return;
    ::mallopt(M_MMAP_THRESHOLD, mmap_threshold_max);
    ::mallopt(M_TRIM_THRESHOLD,
              static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max())));
}

daemon::impl::impl(int argc, char** argv)
    : name(name_of(argc > 0 ? argv[0] : nullptr)),
      software(name + " " + version),
      typed(read(argc, argv, name)),
      passed(take_sockets(typed, name)),
      all(read_or_leave()),
      serving(all.server)
{}

config::configuration daemon::impl::read_or_leave() const
{
    try {
        return read_configuration();
    }
    catch (const std::exception& e) {
        leave_wrong(name, e);
    }
}

config::configuration daemon::impl::read_configuration() const
{
    // Rules may name what is passed: no check before it is there.
    config::configuration read = config::read(typed.settings);
    adopt_sockets(read, passed);
    config::check(read);
    return read;
}

daemon::daemon(int argc, char** argv) : impl_(std::make_unique<impl>(argc, argv)) {}
daemon::~daemon() = default;
server& daemon::server() noexcept
{
    return impl_->serving;
}
const std::string& daemon::software() const noexcept
{
    return impl_->software;
}

std::vector<std::pair<std::string, std::uint64_t>> daemon::counters() const
{
    return {{"log_records_dropped", log::dropped()}};
}

system_controls daemon::controls()
{
    return impl_->controls();
}

store_options daemon::store() const
{
    // Failing is the store's to report: it says more.
    ::mkdir(impl_->all.store.directory.c_str(), 0700);
    return impl_->all.store;
}

int daemon::fail(const std::exception& why) const
{
    const std::string text = why.what();
    const config::configuration& all = impl_->all;
    std::string place;
    // What is wrong names the endpoint or the directory: say where that was written.
    for (std::size_t i = 0; i < all.server.listeners.size() && place.empty(); ++i) {
        const std::string key = "listen[" + std::to_string(i) + "]";
        if (text.find(to_string(all.server.listeners[i].where)) != std::string::npos) {
            place = config::to_string(all.origin(
                        all.origins.contains(key + ".endpoint") ? key + ".endpoint" : key)) +
                    ": listen.endpoint: ";
        }
    }
    if (place.empty() && text.find(all.store.directory) != std::string::npos)
        place = config::to_string(all.origin("state_directory")) + ": state_directory: ";
    log::stop();
    std::fprintf(stderr, "%s\n", log::escape(impl_->name + ": " + place + text).c_str());
    return 1;
}

std::string daemon::impl::status_text() const
{
    const server_status now = serving.status();
    std::string text = "serving " + std::to_string(now.listeners.size()) +
                       (now.listeners.size() == 1 ? " endpoint: " : " endpoints: ");
    for (const auto& l : now.listeners)
        text += (&l == &now.listeners.front() ? "" : ", ") + to_string(l.where);
    text += "; " + std::to_string(now.sessions) + " sessions, " + std::to_string(now.calls) +
            " calls, " + std::to_string(now.errors) + " errors";
    if (!reload_refused.empty())
        text += "; the last reload was refused: " + reload_refused;
    return text;
}

void daemon::impl::announce()
{
    if (typed.print_endpoints) {
        for (const endpoint& where : serving.endpoints())
            std::printf("%s\n", to_string(where).c_str());
        // Whoever asked may have gone; that is no reason not to serve.
        std::fflush(stdout);
    }
    last_status = status_text();
    log::write(log::level::notice, log::serving, software + " is " + last_status);
    systemd::notify_ready(last_status);
}

void daemon::impl::await_signal()
{
    signals.async_wait([this](const error_code& failed, int number) {
        if (failed)
            return;
        on_signal(number);
        await_signal();
    });
}

void daemon::impl::on_signal(int number)
{
    if (number == SIGHUP) {
        try {
            reload({"SIGHUP"});
        }
        catch (const error&) {
            // Logged, and in the status: nobody else asked.
        }
        return;
    }
    if (draining) {
        log::write(log::level::warning, log::stopped_at_once,
                   "a second signal: stopping without waiting for calls");
        log::stop();
        // Threads are at work: only what is on disk already may count.
        std::_Exit(1);
    }
    drain(all.server.drain_timeout);
}

void daemon::impl::drain(std::chrono::milliseconds timeout)
{
    draining = true;
    log::write(log::level::notice, log::stopping, "stopping: calls in flight are answered first");
    systemd::notify_stopping("stopping: answering calls in flight", timeout + stop_reserve);
    // In a thread, so that a second signal and the watchdog are heard meanwhile.
    drainer = std::thread([this, timeout] {
        serving.stop(timeout);
        boost::asio::post(events, [this] { events.stop(); });
    });
}

void daemon::impl::update_status()
{
    status_timer.expires_after(status_interval);
    status_timer.async_wait([this](const error_code& failed) {
        if (failed || draining)
            return;
        if (const std::string text = status_text(); text != last_status) {
            last_status = text;
            systemd::notify_status(text);
        }
        update_status();
    });
}

/// The manager hears of us only when every worker has answered: a worker that hangs in a handler
/// is a daemon that hangs.
void daemon::impl::feed_watchdog()
{
    if (!workers_asked->exchange(true)) {
        serving.ping_workers([asked = workers_asked] {
            systemd::notify_watchdog();
            *asked = false;
        });
    }
    watchdog_timer.expires_after(*watchdog);
    watchdog_timer.async_wait([this](const error_code& failed) {
        if (!failed)
            feed_watchdog();
    });
}

int daemon::impl::wait()
{
    announce();
    await_signal();
    if (std::getenv("NOTIFY_SOCKET"))
        update_status();
    watchdog = systemd::watchdog_interval();
    if (watchdog)
        feed_watchdog();
    events.run();
    if (drainer.joinable())
        drainer.join();
    log::write(log::level::notice, log::stopped, "stopped");
    log::stop();
    return 0;
}

int daemon::run()
{
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    keep_freed_memory(impl_->all.freed_memory_bytes);
    try {
        for (const int number : {SIGTERM, SIGINT, SIGHUP})
            impl_->signals.add(number);
        if (server().find_command(system::ping::name) == nullptr)
            serve(system_service(server(), {.software = software(),
                                            .counters = [this] { return counters(); },
                                            .store = {},
                                            .controls = controls()}));
        log::start(impl_->all.log);
        for (const std::string& note : impl_->all.notes)
            log::write(log::level::info, log::configuration_note, note);
        for (const std::string& problem : server().find_version_problems())
            log::write(log::level::warning, log::version_problem, problem);
        impl_->serving.start();
        return impl_->wait();
    }
    catch (const std::exception& e) {
        return fail(e);
    }
}

} // namespace wharf
