// A parser of Prometheus's text format, strict where a scraper is.
#pragma once

#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace wharf::test {

/// Throws std::runtime_error with the line that a scraper would refuse.
class prometheus_text {
public:
    struct sample {
        std::string name;
        std::map<std::string, std::string> labels;
        auto operator<=>(const sample&) const = default;
    };
    std::map<std::string, std::string> types; ///< of families
    std::map<sample, double> values;

    explicit prometheus_text(std::string_view text)
    {
        if (!text.empty() && text.back() != '\n')
            throw std::runtime_error("the last line has no end");
        while (!text.empty()) {
            line_ = text.substr(0, text.find('\n'));
            text.remove_prefix(line_.size() + 1);
            left_ = line_;
            if (line_.starts_with("#"))
                read_comment();
            else
                read_sample();
        }
        check_histograms();
    }

    double value(const std::string& name, std::map<std::string, std::string> labels = {}) const
    {
        const auto at = values.find({name, std::move(labels)});
        if (at == values.end())
            throw std::runtime_error("there is no sample " + name);
        return at->second;
    }
    bool has(const std::string& name, std::map<std::string, std::string> labels = {}) const
    {
        return values.contains({name, std::move(labels)});
    }

private:
    [[noreturn]] void refuse(const std::string& why) const
    {
        throw std::runtime_error(why + ": " + std::string(line_));
    }
    bool take(std::string_view text)
    {
        if (!left_.starts_with(text))
            return false;
        left_.remove_prefix(text.size());
        return true;
    }
    std::string read_name(bool colons)
    {
        std::size_t n = 0;
        const auto fits = [&](char c) {
            return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                   (colons && c == ':') ||
                   (n != 0 && std::isdigit(static_cast<unsigned char>(c)) != 0);
        };
        while (n < left_.size() && fits(left_[n]))
            ++n;
        if (n == 0)
            refuse("no name");
        std::string name(left_.substr(0, n));
        left_.remove_prefix(n);
        return name;
    }

    void read_comment()
    {
        if (take("# HELP ")) {
            const std::string name = read_name(true);
            if (!helps_.insert(name).second)
                refuse("a second HELP");
            if (!take(" ") || left_.empty())
                refuse("no help");
            return;
        }
        if (!take("# TYPE "))
            refuse("an unknown comment");
        family_ = read_name(true);
        if (!take(" ") || !helps_.contains(family_))
            refuse("a TYPE without HELP before it");
        if (left_ != "counter" && left_ != "gauge" && left_ != "histogram")
            refuse("an unknown type");
        if (!types.emplace(family_, left_).second)
            refuse("a second TYPE");
        if (left_ == "counter" && !family_.ends_with("_total"))
            refuse("a counter that does not end in _total");
    }

    void read_sample()
    {
        sample at;
        at.name = read_name(true);
        std::string_view rest = at.name;
        if (!rest.starts_with(family_))
            refuse("a sample outside of its family");
        rest.remove_prefix(family_.size());
        const bool parts = types[family_] == "histogram";
        if (parts ? rest != "_bucket" && rest != "_sum" && rest != "_count" : !rest.empty())
            refuse("a name that its type does not have");
        if (take("{"))
            read_labels(at);
        if (!take(" "))
            refuse("no value");
        const std::string number(left_);
        char* end = nullptr;
        const double value = std::strtod(number.c_str(), &end);
        if (number.empty() || *end != '\0')
            refuse("a value that is no number");
        if (!values.emplace(std::move(at), value).second)
            refuse("a second value");
    }

    void read_labels(sample& at)
    {
        do {
            std::string name = read_name(false), value;
            if (!take("=\""))
                refuse("a label without a value");
            while (!left_.empty() && left_.front() != '"') {
                if (take("\\\\"))
                    value += '\\';
                else if (take("\\\""))
                    value += '"';
                else if (take("\\n"))
                    value += '\n';
                else if (left_.front() == '\\')
                    refuse("an unknown escape");
                else {
                    value += left_.front();
                    left_.remove_prefix(1);
                }
            }
            if (!take("\"") || !at.labels.emplace(std::move(name), std::move(value)).second)
                refuse("a bad label");
        } while (take(","));
        if (!take("}"))
            refuse("labels without end");
    }

    /// Buckets are cumulative, in the order of their bounds, and the last one counts all.
    void check_histograms()
    {
        for (const auto& [family, type] : types) {
            if (type != "histogram")
                continue;
            std::map<std::map<std::string, std::string>, std::map<double, double>> all;
            for (const auto& [at, value] : values) {
                if (at.name != family + "_bucket")
                    continue;
                auto labels = at.labels;
                const auto bound = labels.extract("le");
                if (bound.empty())
                    throw std::runtime_error(family + ": a bucket without a bound");
                all[labels][std::strtod(bound.mapped().c_str(), nullptr)] = value;
            }
            for (const auto& [labels, buckets] : all) {
                double before = 0;
                for (const auto& [bound, count] : buckets) {
                    if (count < before)
                        throw std::runtime_error(family + ": buckets that do not add up");
                    before = count;
                }
                const bool is_whole = buckets.rbegin()->first > 1e300;
                if (!is_whole || before != value(family + "_count", labels))
                    throw std::runtime_error(family + ": the last bucket does not count all");
                if (value(family + "_sum", labels) < 0)
                    throw std::runtime_error(family + ": a negative sum");
            }
        }
    }

    std::string_view line_, left_;
    std::string family_ = "?";
    std::set<std::string> helps_;
};

} // namespace wharf::test
