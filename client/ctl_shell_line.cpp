// Splitting of a command line at the cursor.
#include "ctl_shell_line.hpp"

namespace wharf::ctl {

namespace {

bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/// What begins another command.
bool ends_command(char c)
{
    return c == '|' || c == ';' || c == '&' || c == '(';
}

class splitter {
public:
    explicit splitter(std::string_view breaks) : breaks_(breaks) {}

    shell_line read(std::string_view line)
    {
        for (const char c : line)
            take(c);
        finish_word(false);
        made_.quote = quote_;
        made_.kept = kept_;
        return std::move(made_);
    }

private:
    void take(char c)
    {
        if (is_escaped_) {
            if (quote_ == '"' && c != '"' && c != '\\' && c != '$' && c != '`')
                word_ += '\\';
            add(c);
            is_escaped_ = false;
        }
        else if (c == '\\' && quote_ != '\'') {
            is_escaped_ = has_word_ = true;
        }
        else if (quote_ != 0) {
            if (c == quote_)
                quote_ = 0;
            else
                add(c);
        }
        else if (c == '\'' || c == '"') {
            quote_ = c;
            has_word_ = true;
            kept_ = word_.size();
        }
        else if (is_space(c))
            finish_word(true);
        else if (ends_command(c)) {
            finish_word(true);
            made_.words.clear();
        }
        else {
            add(c);
            if (breaks_.find(c) != breaks_.npos)
                kept_ = word_.size();
        }
    }
    void add(char c)
    {
        word_ += c;
        has_word_ = true;
    }
    void finish_word(bool only_if_any)
    {
        if (only_if_any && !has_word_)
            return;
        made_.words.push_back(std::move(word_));
        word_.clear();
        has_word_ = false;
        if (only_if_any)
            kept_ = 0;
    }

    std::string_view breaks_;
    shell_line made_;
    std::string word_;
    bool has_word_ = false, is_escaped_ = false;
    char quote_ = 0;
    std::size_t kept_ = 0;
};

} // namespace

shell_line read_shell_line(std::string_view line, std::string_view breaks)
{
    return splitter(breaks).read(line);
}

std::string quote_for(const shell_line& at, std::string_view word)
{
    std::string out;
    // An ordinary word of these needs no quotes.
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_-./:=,+@%^";
    for (const char c : word) {
        const bool is_ascii = (static_cast<unsigned char>(c) & 0x80) == 0;
        if (at.quote == '\'' && c == '\'')
            return {};
        if (at.quote == '"' && (c == '"' || c == '\\' || c == '$' || c == '`'))
            out += '\\';
        else if (at.quote == 0 && is_ascii && plain.find(c) == plain.npos)
            out += '\\';
        out += c;
    }
    return out;
}

} // namespace wharf::ctl
