// Files, standard input and standard output.
#include "ctl_io.hpp"

#include "ctl_errors.hpp"
#include "ctl_text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace wharf::ctl {

namespace {

/// As much as a message may hold: more is refused before it is read.
constexpr std::size_t value_bytes_max = 16u << 20;

struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using file_ptr = std::unique_ptr<std::FILE, closer>;

std::string reason()
{
    return std::strerror(errno);
}

std::vector<std::byte> read_all(std::FILE* from, const std::string& name)
{
    std::vector<std::byte> value;
    for (;;) {
        const std::size_t have = value.size();
        value.resize(have + (64u << 10));
        const std::size_t n = std::fread(value.data() + have, 1, value.size() - have, from);
        value.resize(have + n);
        if (std::ferror(from))
            throw local_error{"cannot read " + name + ": " + reason()};
        if (value.size() > value_bytes_max)
            throw local_error{name + " holds more than 16 MiB, which no message may"};
        if (n == 0)
            return value;
    }
}

void write_all(std::FILE* to, const void* bytes, std::size_t n, const std::string& name)
{
    if ((n != 0 && std::fwrite(bytes, 1, n, to) != n) || std::fflush(to) != 0)
        throw local_error{"cannot write " + name + ": " + reason()};
}

} // namespace

void print(const std::string& text)
{
    write_all(stdout, text.data(), text.size(), "standard output");
}

bool on_terminal()
{
    return ::isatty(STDOUT_FILENO) != 0;
}

std::size_t terminal_width()
{
    constexpr std::size_t usual = 80;
    winsize now{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_col != 0 ? now.ws_col : usual;
}

std::vector<std::byte> read_value(const value_source& from)
{
    if (from.text) {
        const auto* bytes = reinterpret_cast<const std::byte*>(from.text->data());
        return {bytes, bytes + from.text->size()};
    }
    if (from.file.empty() || from.file == "-")
        return read_all(stdin, "standard input");
    const file_ptr file(std::fopen(from.file.c_str(), "rbe"));
    if (!file)
        throw local_error{"cannot open " + from.file + ": " + reason()};
    return read_all(file.get(), from.file);
}

std::string read_text(const std::string& file)
{
    const std::vector<std::byte> bytes = read_value({std::nullopt, file});
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_value(const std::vector<std::byte>& value, const std::string& file)
{
    if (!file.empty() && file != "-") {
        const file_ptr to(std::fopen(file.c_str(), "wbe"));
        if (!to)
            throw local_error{"cannot open " + file + ": " + reason()};
        write_all(to.get(), value.data(), value.size(), file);
        return;
    }
    if (!on_terminal()) {
        write_all(stdout, value.data(), value.size(), "standard output");
        return;
    }
    if (!is_plain_text(value)) {
        print(hex_dump(value));
        return;
    }
    std::string text(reinterpret_cast<const char*>(value.data()), value.size());
    if (!text.ends_with('\n'))
        text += '\n';
    print(text);
}

} // namespace wharf::ctl
