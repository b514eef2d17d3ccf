// Colours and weights of text, where somebody sees them.
#pragma once

#include <string>
#include <string_view>

namespace wharf::ctl {

enum class colour_choice {
    automatic, ///< on a terminal, unless NO_COLOR is set or TERM says that it is dumb
    always,
    never,
};

/// Text in a colour or weight: plain text where no colours are wanted. A value.
class style {
public:
    explicit style(bool is_on = false) noexcept : is_on_(is_on) {}

    bool is_on() const noexcept { return is_on_; }
    std::string bold(std::string_view text) const { return in("1", text); }
    std::string dim(std::string_view text) const { return in("2", text); }
    std::string reverse(std::string_view text) const { return in("7", text); }
    std::string red(std::string_view text) const { return in("31", text); }
    std::string green(std::string_view text) const { return in("32", text); }
    std::string yellow(std::string_view text) const { return in("33", text); }
    std::string cyan(std::string_view text) const { return in("36", text); }

private:
    std::string in(std::string_view code, std::string_view text) const;

    bool is_on_;
};

/// For what is written to this descriptor.
style style_of(colour_choice choice, int descriptor);

} // namespace wharf::ctl
