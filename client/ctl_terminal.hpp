// A terminal that is drawn on as a whole, and left as it was found.
#pragma once

#include <termios.h>

#include <cstddef>
#include <string>
#include <vector>

namespace wharf::ctl {

/// Standard output as a screen: the alternate one, without cursor, and keys that come one by one.
/// The destructor puts all of it back, and so does the death of the program by its own mistake.
/// Distinct objects: unsafe, there is one terminal.
class terminal {
public:
    terminal();
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    /// Reads keys; not blocking, and not shared with the shell. -1: there are none.
    int keys() const noexcept { return keys_; }

    struct extent {
        std::size_t width = 80, height = 24;
    };
    extent size() const noexcept;

    /// Each line from the left edge, in one write, so that nothing flickers. False: it is gone.
    bool draw(const std::vector<std::string>& lines);

    /// For a program that is stopped, and continued: puts back, and takes again.
    void leave() noexcept;
    void enter();

private:
    int keys_ = -1;
    bool is_entered_ = false;
};

/// Does the environment say that characters are UTF-8?
bool has_unicode();

} // namespace wharf::ctl
