// Raw keys, the alternate screen, and the way back on every path.
#include "ctl_terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace wharf::ctl {

namespace {

// Lines that are too wide are cut off rather than wrapped (?7): what cut() takes for one column may
// be two.
constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view leave_text = "\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l";

/// What a crash puts back. Static because a signal handler gets nothing else.
struct {
    termios mode{};
    int descriptor = -1;
    volatile std::sig_atomic_t is_entered = 0;
} found;

/// Only what is allowed in a signal handler.
void put_back() noexcept
{
    if (!found.is_entered)
        return;
    found.is_entered = 0;
    [[maybe_unused]] const auto n = ::write(STDOUT_FILENO, leave_text.data(), leave_text.size());
    if (found.descriptor >= 0)
        ::tcsetattr(found.descriptor, TCSADRAIN, &found.mode);
}

void on_crash(int signal)
{
    put_back();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

bool write_all(std::string_view text)
{
    while (!text.empty()) {
        const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EAGAIN) {
            pollfd room{STDOUT_FILENO, POLLOUT, 0};
            ::poll(&room, 1, -1);
        }
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/// A descriptor of its own: that of standard input is shared with the shell, which must not find it
/// non-blocking.
int open_keys()
{
    const int made = ::open("/dev/tty", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (made >= 0)
        return made;
    const char* name = ::ttyname(STDOUT_FILENO);
    return name == nullptr ? -1 : ::open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

} // namespace

terminal::terminal() : keys_(open_keys())
{
    if (keys_ >= 0 && ::tcgetattr(keys_, &found.mode) == 0)
        found.descriptor = keys_;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
        std::signal(signal, on_crash);
    enter();
}

terminal::~terminal()
{
    leave();
    found.descriptor = -1;
    if (keys_ >= 0)
        ::close(keys_);
}

terminal::extent terminal::size() const noexcept
{
    winsize now{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_col == 0 || now.ws_row == 0)
        return {};
    return {now.ws_col, now.ws_row};
}

bool terminal::draw(const std::vector<std::string>& lines)
{
    std::string frame = "\x1b[H";
    for (std::size_t i = 0; i != lines.size(); ++i) {
        if (i != 0)
            frame += "\r\n";
        frame += lines[i] + "\x1b[K";
    }
    return write_all(frame + "\x1b[J");
}

void terminal::leave() noexcept
{
    put_back();
    is_entered_ = false;
}

void terminal::enter()
{
    if (is_entered_)
        return;
    if (found.descriptor >= 0) {
        termios raw = found.mode;
        // Signals stay: Ctrl-C and Ctrl-Z do what they always do.
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        ::tcsetattr(found.descriptor, TCSADRAIN, &raw);
    }
    found.is_entered = 1;
    is_entered_ = true;
    write_all(enter_text);
}

bool has_unicode()
{
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0')
            continue;
        std::string lower(value);
        std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        return lower.find("utf-8") != lower.npos || lower.find("utf8") != lower.npos;
    }
    return false;
}

} // namespace wharf::ctl
