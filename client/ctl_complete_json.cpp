// Follows a text of JSON into its schema, to where it stops.
#include "ctl_complete_json.hpp"

#include "ctl_json.hpp"

#include <algorithm>
#include <optional>

namespace wharf::ctl {

namespace {

/// An object or array that is not closed yet.
struct open_part {
    bool is_object = false;
    std::optional<std::uint32_t> type; ///< its place in the schema; nothing: not known
    std::vector<std::string> keys;     ///< that it has
    std::size_t elements = 0;
    bool wants_value = false; ///< a colon was last
};

class follower {
public:
    follower(const schema& type, std::string_view text) : schema_(type), text_(text) {}

    std::vector<std::string> complete()
    {
        while (at_ < text_.size())
            if (!step())
                return {};
        return candidates();
    }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

    const schema_type& type(std::uint32_t place) const { return schema_.at(place); }

    /// Through what JSON shows as the value inside: optionals, pointers, tracked values.
    std::optional<std::uint32_t> inner(std::uint32_t place) const
    {
        for (std::size_t i = 0; i <= schema_.types().size(); ++i) {
            const schema_type& t = type(place);
            const bool is_wrapper =
                t.kind == schema_kind::optional || t.kind == schema_kind::pointer ||
                t.kind == schema_kind::tracked || t.kind == schema_kind::constructed;
            if (!is_wrapper || t.is_polymorphic || t.parts.empty())
                return place;
            place = t.parts.front();
        }
        return {};
    }

    /// The type of the value that comes here.
    std::optional<std::uint32_t> expected() const
    {
        if (open_.empty())
            return is_done_ ? std::nullopt : inner(0);
        const open_part& in = open_.back();
        if (!in.type)
            return {};
        const schema_type& t = type(*in.type);
        if (in.is_object)
            return in.wants_value ? member(t, in.keys.back()) : std::nullopt;
        switch (t.kind) {
        case schema_kind::list:
        case schema_kind::set:
        case schema_kind::array:
        case schema_kind::run: return t.parts.empty() ? std::nullopt : inner(t.parts.front());
        case schema_kind::tuple:
            return in.elements < t.parts.size() ? inner(t.parts[in.elements]) : std::nullopt;
        default: return {};
        }
    }
    std::optional<std::uint32_t> member(const schema_type& of, const std::string& key) const
    {
        if (of.kind == schema_kind::map && of.parts.size() == 2)
            return inner(of.parts[1]);
        for (const schema_field& field : of.fields)
            if (field.name == key)
                return inner(field.type);
        return {};
    }

    bool wants_key() const
    {
        return !open_.empty() && open_.back().is_object && !open_.back().wants_value;
    }
    void end_value()
    {
        if (open_.empty())
            is_done_ = true;
        else {
            open_.back().wants_value = false;
            ++open_.back().elements;
        }
    }

    /// False: this is no JSON.
    bool step()
    {
        const char c = text_[at_];
        if (is_space(c) || c == ',') {
            ++at_;
            after_value_ = after_value_ && c != ',';
            return true;
        }
        if (c == ':') {
            if (open_.empty() || !open_.back().is_object || open_.back().keys.empty())
                return false;
            open_.back().wants_value = true;
            after_value_ = false;
            ++at_;
            return true;
        }
        if (c == '{' || c == '[') {
            constexpr std::size_t depth_max = 256;
            if (wants_key() || open_.size() == depth_max)
                return false;
            open_.push_back({c == '{', expected(), {}, 0, false});
            ++at_;
            after_value_ = false;
            return true;
        }
        if (c == '}' || c == ']') {
            if (open_.empty())
                return false;
            open_.pop_back();
            end_value();
            after_value_ = true;
            ++at_;
            return true;
        }
        return c == '"' ? read_string() : read_word();
    }

    bool read_string()
    {
        const std::size_t begin = at_++;
        std::string value;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\')
                ++at_;
            if (at_ < text_.size())
                value += text_[at_++];
        }
        if (at_ >= text_.size()) {
            partial_ = text_.substr(begin);
            return true;
        }
        ++at_;
        if (wants_key())
            open_.back().keys.push_back(std::move(value));
        else
            end_value();
        after_value_ = true;
        return true;
    }
    bool read_word()
    {
        const std::size_t begin = at_;
        while (at_ < text_.size() && !is_space(text_[at_]) &&
               std::string_view(",:{}[]\"").find(text_[at_]) == std::string_view::npos)
            ++at_;
        if (at_ == text_.size())
            partial_ = text_.substr(begin);
        else {
            end_value();
            after_value_ = true;
        }
        return true;
    }

    /// Those that go on where `partial_` began.
    std::vector<std::string> with_starts(const std::vector<std::string>& tokens) const
    {
        const std::string before(text_.substr(0, text_.size() - partial_.size()));
        std::vector<std::string> made;
        for (const std::string& token : tokens) {
            if (token.starts_with(partial_))
                made.push_back(before + token);
            else if (token.starts_with('"') && token.substr(1).starts_with(partial_))
                made.push_back(before + token); // the quote may be missing yet
        }
        return made;
    }

    std::vector<std::string> candidates() const
    {
        if (after_value_ && partial_.empty())
            return {};
        std::vector<std::string> tokens;
        if (wants_key()) {
            const open_part& in = open_.back();
            if (!in.type)
                return {};
            for (const schema_field& field : type(*in.type).fields)
                if (std::find(in.keys.begin(), in.keys.end(), field.name) == in.keys.end())
                    tokens.push_back(json_string(field.name) + ": ");
        }
        else if (const auto wanted = expected()) {
            const schema_type& t = type(*wanted);
            switch (t.kind) {
            case schema_kind::boolean: tokens = {"true", "false"}; break;
            case schema_kind::enumeration:
                for (const schema_enumerator& each : t.values)
                    tokens.push_back(json_string(each.name));
                break;
            case schema_kind::record: tokens = {"{"}; break;
            case schema_kind::map:
                if (!t.parts.empty() && type(t.parts[0]).kind == schema_kind::string)
                    tokens = {"{"};
                break;
            case schema_kind::list:
            case schema_kind::set:
            case schema_kind::array:
            case schema_kind::run:
            case schema_kind::tuple: tokens = {"["}; break;
            case schema_kind::string:
                if (partial_.empty())
                    tokens = {"\""};
                break;
            default: break;
            }
        }
        return with_starts(tokens);
    }

    const schema& schema_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<open_part> open_;
    std::string_view partial_; ///< the token that is being typed
    bool after_value_ = false; ///< a key or value is complete: a comma or colon comes
    bool is_done_ = false;
};

} // namespace

std::vector<std::string> complete_json(const schema& type, std::string_view text)
{
    return type.is_valid() ? follower(type, text).complete() : std::vector<std::string>{};
}

} // namespace wharf::ctl
