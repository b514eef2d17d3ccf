// A parser of the notation of types: what decode.py does, for schemas.
#include "schema_notation.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace schema_notation {
namespace {

using wharf::schema_kind;
using wharf::schema_type;
using place = std::uint32_t;

std::vector<std::string> split(const std::string& text)
{
    std::vector<std::string> tokens;
    const auto is_word = [&](std::size_t at) {
        return at < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
    };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        if (text[at] == '"')
            end = text.find('"', at + 1) + 1;
        else if (is_word(at) || (text[at] == '-' && is_word(at + 1)))
            while (is_word(end))
                ++end;
        if (text[at] != ' ')
            tokens.push_back(text.substr(at, end - at));
        at = end;
    }
    return tokens;
}

class parser {
public:
    parser(const std::map<std::string, std::string>& texts, std::vector<schema_type>& types)
        : texts_(texts), types_(types)
    {}

    place parse(const std::string& text)
    {
        const auto outer = std::exchange(tokens_, split(text));
        const auto outer_at = std::exchange(at_, 0);
        const place made = type();
        if (!peek().empty())
            throw std::runtime_error("left over in " + text + ": " + peek());
        tokens_ = outer;
        at_ = outer_at;
        return made;
    }
    /// All classes are known: those behind polymorphic pointers are listed.
    void finish()
    {
        // Every definition may be behind a pointer.
        for (const auto& [name, text] : texts_)
            if (text.find("class") != text.npos)
                named(name);
        for (std::size_t i = 0; i < types_.size(); ++i)
            if (types_[i].kind == schema_kind::pointer)
                finish_pointer(types_[i]);
    }

private:
    struct class_facts {
        std::set<std::string> words;
        std::vector<place> bases;
        std::string key;
        place constructed = 0;
    };

    std::string peek() const { return at_ < tokens_.size() ? tokens_[at_] : std::string(); }
    std::string take()
    {
        if (at_ == tokens_.size())
            throw std::runtime_error("a type ends too early");
        return tokens_[at_++];
    }
    void need(const std::string& token)
    {
        if (const std::string found = take(); found != token)
            throw std::runtime_error(token + " expected, not " + found);
    }
    bool skip(const std::string& token)
    {
        if (peek() != token)
            return false;
        ++at_;
        return true;
    }
    place add(schema_kind kind)
    {
        types_.emplace_back().kind = kind;
        return static_cast<place>(types_.size() - 1);
    }

    place named(const std::string& name)
    {
        if (const auto known = named_.find(name); known != named_.end())
            return known->second;
        const auto text = texts_.find(name);
        if (text == texts_.end())
            throw std::runtime_error("no type " + name);
        name_ = name;
        const place made = parse(text->second);
        named_[name] = made;
        return made;
    }

    place type()
    {
        const std::string word = peek();
        for (const char* each : {"poly", "abstract", "always", "never", "plain", "class"})
            if (word == each)
                return class_type();
        take();
        if (word.size() > 1 && word.find_first_not_of("0123456789", 1) == word.npos &&
            (word[0] == 'i' || word[0] == 'u' || word[0] == 'f')) {
            const place made = add(word[0] == 'f' ? schema_kind::real : schema_kind::integer);
            types_[made].size = static_cast<std::uint8_t>(std::stoi(word.substr(1)) / 8);
            types_[made].is_signed = word[0] == 'i';
            return made;
        }
        if (word == "bool")
            return add(schema_kind::boolean);
        if (word == "nothing")
            return add(schema_kind::nothing);
        if (word == "count")
            return add(schema_kind::varint);
        if (word == "bits")
            return add(schema_kind::bits);
        if (word == "blob")
            return add(schema_kind::bytes);
        if (word == "opaque") {
            const place made = add(schema_kind::opaque);
            types_[made].name = take().substr(1);
            types_[made].name.pop_back();
            return made;
        }
        if (word == "string" || word == "utf8") {
            const place made = add(schema_kind::string);
            types_[made].size = 1;
            types_[made].is_utf8 = word == "utf8";
            return made;
        }
        if (texts_.contains(word))
            return named(word);
        return with_parameters(word);
    }

    place with_parameters(const std::string& word)
    {
        need("<");
        const place made = parameters(word);
        need(">");
        return made;
    }

    place parameters(const std::string& word)
    {
        if (word == "text") {
            const place unit = type();
            types_[unit].kind = schema_kind::string;
            types_[unit].is_signed = false;
            return unit;
        }
        if (word == "bytes") {
            const place made = add(schema_kind::fixed_bytes);
            types_[made].count = std::stoul(take());
            return made;
        }
        if (word == "enum")
            return enumeration();
        if (word == "array" || word == "items") {
            const place made = add(word == "array" ? schema_kind::array : schema_kind::run);
            types_[made].count = std::stoul(take());
            need(",");
            return with_parts(made);
        }
        if (word == "vector")
            return with_parts(add(schema_kind::list));
        if (word == "optional")
            return with_parts(add(schema_kind::optional));
        if (word == "variant")
            return with_parts(add(schema_kind::variant));
        if (word == "pair" || word == "tuple")
            return with_parts(add(schema_kind::tuple));
        if (word == "again")
            return type(); // The same form: a tag.
        if (word.ends_with("set") || word.ends_with("map"))
            return keyed(word);
        return pointer(word);
    }

    place with_parts(place made)
    {
        do {
            const place part = type();
            types_[made].parts.push_back(part);
        } while (skip(","));
        return made;
    }

    place enumeration()
    {
        const place base = type();
        types_[base].kind = schema_kind::enumeration;
        need(",");
        types_[base].least = std::stoll(take());
        need(",");
        types_[base].greatest = std::stoull(take());
        std::int64_t next = 0;
        while (skip(",")) {
            const std::string name = take();
            if (skip("="))
                next = std::stoll(take());
            types_[base].values.push_back({name, next++});
        }
        return base;
    }

    place keyed(const std::string& word)
    {
        const bool is_map = word.ends_with("map");
        const place made = add(is_map ? schema_kind::map : schema_kind::set);
        with_parts(made);
        schema_type& of = types_[made];
        of.is_multi = word.find("multi") != word.npos;
        of.order = word.starts_with("falling") ? 1 : word.starts_with("own") ? 2 : 0;
        of.is_unordered =
            word.starts_with("unordered") || types_[of.parts[0]].kind == schema_kind::pointer;
        return made;
    }

    place pointer(const std::string& word)
    {
        static const std::map<std::string, int> kinds = {
            {"shared", 2},     {"weak", 2},   {"unique", 1}, {"boost_shared", 3},
            {"boost_weak", 3}, {"scoped", 1}, {"raw", 1},    {"alias", 4},
        };
        const auto kind = kinds.find(word);
        if (kind == kinds.end())
            throw std::runtime_error("no type " + word);
        const place made = add(schema_kind::pointer);
        types_[made].ownership = static_cast<std::uint8_t>(kind->second);
        types_[made].is_weak = word.ends_with("weak");
        const place of = type();
        types_[made].parts.push_back(of);
        return made;
    }

    place class_type()
    {
        class_facts facts;
        std::string word;
        while ((word = take()) != "class")
            facts.words.insert(word);
        // Known from here on by its name: it may contain itself.
        const std::string name = std::exchange(name_, {});
        const place made = add(schema_kind::record);
        facts.constructed = made;
        const bool is_tracked = facts.words.contains("always");
        place known = made;
        if (is_tracked) {
            known = add(schema_kind::tracked);
            types_[known].parts.push_back(made);
        }
        if (!name.empty())
            named_[name] = known;
        types_[made].is_versioned = !facts.words.contains("plain");
        if (skip(":"))
            do {
                const std::string base = take();
                const place of = named(base);
                facts.bases.push_back(record_of(of));
                base_names_[made].insert(base);
            } while (skip(","));
        if (peek().starts_with('"')) {
            facts.key = take();
            facts.key = facts.key.substr(1, facts.key.size() - 2);
        }
        if (skip("@"))
            types_[made].version = static_cast<std::uint32_t>(std::stoul(take()));
        if (skip("(")) {
            const place built = add(schema_kind::constructed);
            types_[built].parts.push_back(made);
            if (!name.empty())
                named_[name] = built;
            facts.constructed = built;
            known = built;
            members(built, ")");
        }
        classes_[made] = facts;
        need("{");
        members(made, "}");
        return known;
    }

    void members(place of, const std::string& end)
    {
        while (!skip(end)) {
            wharf::schema_field field;
            field.name = take();
            if (field.name == "register") {
                const place made = add(schema_kind::registered);
                const place registered = named(take());
                types_[made].parts.push_back(registered);
                field.type = made;
                field.name.clear();
            }
            else {
                need(":");
                const std::string word = peek();
                field.type = type();
                field.is_base = base_names_[of].contains(word);
                if (skip("since"))
                    take();
            }
            types_[of].fields.push_back(field);
            skip(",");
        }
    }

    place record_of(place of) const
    {
        const auto kind = types_[of].kind;
        return kind == schema_kind::constructed || kind == schema_kind::tracked
                   ? types_[of].parts[0]
                   : of;
    }

    bool is_a(place of, place base) const
    {
        return of == base || std::ranges::any_of(classes_.at(of).bases,
                                                 [&](place each) { return is_a(each, base); });
    }

    void finish_pointer(schema_type& pointer)
    {
        const place body = record_of(pointer.parts[0]);
        const auto known = classes_.find(body);
        if (known == classes_.end())
            return;
        // Behind a pointer a class of track_always has no tag of its own.
        pointer.parts[0] = known->second.constructed;
        pointer.is_untracked = known->second.words.contains("never");
        if (!known->second.words.contains("poly") && !known->second.words.contains("abstract"))
            return;
        pointer.is_polymorphic = true;
        for (const auto& [of, facts] : classes_)
            if (!facts.words.contains("abstract") && is_a(of, body))
                pointer.derived.push_back({facts.key, facts.constructed});
    }

    const std::map<std::string, std::string>& texts_;
    std::vector<schema_type>& types_;
    std::vector<std::string> tokens_;
    std::size_t at_ = 0;
    std::map<std::string, place> named_;
    std::map<place, class_facts> classes_;
    std::map<place, std::set<std::string>> base_names_;
    std::string name_;
};

} // namespace

definitions::definitions(std::initializer_list<std::pair<std::string, std::string>> all)
{
    for (const auto& [name, type] : all)
        define(name, type);
}

wharf::schema definitions::make(const std::string& text) const
{
    // The message's own type is the first: it stands in front once its place is known.
    std::vector<schema_type> types(1);
    parser parse(texts_, types);
    const place root = parse.parse(text);
    parse.finish();
    for (schema_type& each : types) {
        const auto move = [&](place& at) {
            if (at == root)
                at = 0;
        };
        std::ranges::for_each(each.parts, move);
        std::ranges::for_each(each.fields, move, &wharf::schema_field::type);
        std::ranges::for_each(each.derived, move, &wharf::schema_derived::type);
    }
    types[0] = types[root];
    return wharf::schema(types);
}

} // namespace schema_notation
