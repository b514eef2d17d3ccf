// Prometheus's exposition format, read leniently: it is only looked at.
#include "ctl_metrics.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace wharf::ctl {

namespace {

/// Takes a line apart from its front.
class line_reader {
public:
    explicit line_reader(std::string_view line) : rest_(line) {}

    std::optional<metric> read()
    {
        metric made;
        made.name = take_until("{ ");
        if (made.name.empty() || made.name.front() == '#')
            return {};
        if (take('{') && !read_labels(made))
            return {};
        const std::optional<double> value = read_number();
        if (!value)
            return {};
        made.value = *value;
        return made;
    }

private:
    bool take(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string take_until(std::string_view ends)
    {
        const std::size_t n = std::min(rest_.find_first_of(ends), rest_.size());
        std::string taken(rest_.substr(0, n));
        rest_.remove_prefix(n);
        return taken;
    }

    bool read_labels(metric& to)
    {
        while (!take('}')) {
            std::string name = take_until("=");
            if (!take('=') || !take('"'))
                return false;
            std::string value;
            while (!take('"')) {
                if (rest_.empty())
                    return false;
                char c = rest_.front();
                rest_.remove_prefix(1);
                if (c == '\\' && !rest_.empty()) {
                    c = rest_.front() == 'n' ? '\n' : rest_.front();
                    rest_.remove_prefix(1);
                }
                value += c;
            }
            to.labels.emplace_back(std::move(name), std::move(value));
            take(',');
        }
        return true;
    }

    std::optional<double> read_number()
    {
        while (take(' ')) {}
        const std::string_view text = rest_.substr(0, rest_.find(' '));
        if (text == "+Inf")
            return std::numeric_limits<double>::infinity();
        double value = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
        if (end.ec != std::errc{} || end.ptr != text.data() + text.size())
            return {};
        return value;
    }

    std::string_view rest_;
};

} // namespace

std::string_view metric::label(std::string_view wanted) const
{
    for (const auto& [key, text] : labels)
        if (key == wanted)
            return text;
    return {};
}

std::vector<metric> parse_metrics(std::string_view text)
{
    std::vector<metric> made;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (auto one = line_reader(text.substr(0, end)).read())
            made.push_back(std::move(*one));
        if (end == std::string_view::npos)
            break;
        text.remove_prefix(end + 1);
    }
    return made;
}

} // namespace wharf::ctl
