// JSON as text, written from its beginning to its end within a limit.
#pragma once

#include <wharf/json.hpp>

namespace wharf::detail {

class json_writer {
public:
    explicit json_writer(const json_options& options) : options_(options) {}

    /// `bracket` is [ or {.
    void begin(char bracket);
    void end(char bracket);
    /// The next value is that of this key.
    void key(std::string_view text);
    /// Must be valid UTF-8.
    void string(std::string_view text);
    /// A number, or a word of JSON.
    void plain(std::string_view text);
    void string_or_plain(std::string_view text, bool is_string)
    {
        is_string ? string(text) : plain(text);
    }
    std::string take() { return std::move(text_); }
    /// Was more written than the limit allows? What exceeds it is not kept.
    bool is_full() const noexcept { return is_full_; }

private:
    void begin_value();
    void new_line();
    void put(std::string_view text);
    void put_quoted(std::string_view text);

    const json_options& options_;
    std::string text_;
    std::size_t depth_ = 0;
    bool is_empty_ = true; ///< nothing stands in the innermost brackets yet
    bool is_behind_key_ = false;
    bool is_full_ = false;
};

} // namespace wharf::detail
