// Whether a stored object has the type that a program reads it as.
#include <wharf/objects.hpp>
#include <wharf/stored_objects.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <cstdio>
#include <set>

namespace wharf::objects {
namespace {

/// The parts of two schemas side by side, from the whole to the parts, each pair once.
class comparison {
public:
    comparison(const schema& stored, const schema& wanted) : stored_(stored), wanted_(wanted) {}

    /// Where they differ first and how; empty: nowhere.
    std::string run();

private:
    struct pair {
        std::uint32_t stored, wanted;
        std::size_t from; ///< in pairs_: whose part it is
        std::string step;
    };

    void reach(std::uint32_t stored, std::uint32_t wanted, std::size_t from, std::string step)
    {
        if (met_.emplace(stored, wanted).second)
            pairs_.push_back({stored, wanted, from, std::move(step)});
    }
    const char* compare(const schema_type& stored, const schema_type& wanted, std::size_t at);
    const char* compare_records(const schema_type& stored, const schema_type& wanted,
                                std::size_t at);
    std::string path_to(std::size_t at) const;

    const schema& stored_;
    const schema& wanted_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> met_;
    std::vector<pair> pairs_;
};

bool has_field(const schema_type& type, const std::string& name)
{
    return std::any_of(type.fields.begin(), type.fields.end(),
                       [&](const schema_field& field) { return field.name == name; });
}

const char* comparison::compare_records(const schema_type& stored, const schema_type& wanted,
                                        std::size_t at)
{
    if (stored.is_versioned != wanted.is_versioned)
        return "another class";
    // What serialize() makes of the other version, only it knows.
    if (stored.version != wanted.version)
        return nullptr;
    if (stored.fields.size() != wanted.fields.size())
        return "another number of members at the same version";
    bool is_kin = stored.fields.empty();
    for (std::size_t i = 0; i != stored.fields.size(); ++i) {
        const schema_field& had = stored.fields[i];
        const schema_field& has = wanted.fields[i];
        if (had.name == has.name)
            is_kin = true;
        else if (has_field(wanted, had.name) || has_field(stored, has.name))
            return "members in another order";
        reach(had.type, has.type, at, had.name);
    }
    return is_kin ? nullptr : "other members";
}

const char* comparison::compare(const schema_type& stored, const schema_type& wanted,
                                std::size_t at)
{
    // A type that is not known cannot be said to be another.
    if (wanted.kind == schema_kind::opaque || stored.kind == schema_kind::opaque)
        return nullptr;
    if (stored.kind != wanted.kind || stored.size != wanted.size ||
        stored.is_signed != wanted.is_signed || stored.count != wanted.count ||
        stored.is_polymorphic != wanted.is_polymorphic || stored.ownership != wanted.ownership)
        return "another kind of value";
    if (stored.kind == schema_kind::record)
        return compare_records(stored, wanted, at);
    // A variant may have been given more alternatives.
    const bool may_grow = stored.kind == schema_kind::variant;
    if (may_grow ? stored.parts.size() > wanted.parts.size()
                 : stored.parts.size() != wanted.parts.size())
        return "another number of parts";
    const bool has_elements = stored.kind == schema_kind::list || stored.kind == schema_kind::set ||
                              stored.kind == schema_kind::map ||
                              stored.kind == schema_kind::array || stored.kind == schema_kind::run;
    for (std::size_t i = 0; i != stored.parts.size(); ++i)
        reach(stored.parts[i], wanted.parts[i], at, has_elements ? "[]" : "");
    for (const schema_derived& had : stored.derived)
        for (const schema_derived& has : wanted.derived)
            if (had.key == has.key)
                reach(had.type, has.type, at, "");
    return nullptr;
}

std::string comparison::path_to(std::size_t at) const
{
    std::vector<std::size_t> way;
    for (; at != 0; at = pairs_[at].from)
        way.push_back(at);
    std::string path;
    for (auto each = way.rbegin(); each != way.rend(); ++each) {
        const std::string& step = pairs_[*each].step;
        if (!path.empty() && !step.empty() && step[0] != '[')
            path += '.';
        path += step;
    }
    return path;
}

std::string comparison::run()
{
    reach(0, 0, 0, "");
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const char* const how =
            compare(stored_.at(pairs_[i].stored), wanted_.at(pairs_[i].wanted), i);
        if (how == nullptr)
            continue;
        const std::string path = path_to(i);
        return path.empty() ? how : path + ": " + how;
    }
    return {};
}

/// A type that somebody else wrote, in one line of an error.
std::string short_line(const schema& type)
{
    constexpr std::size_t characters_max = 200;
    std::string line = type.to_line();
    if (line.size() > characters_max)
        line.replace(characters_max, std::string::npos, "...");
    return line;
}

/// The table of versions of a message that was loaded, and so is not damaged.
std::vector<std::uint64_t> versions_of(std::span<const std::byte> message)
{
    std::size_t at = 0;
    const auto next = [&] {
        std::uint64_t number = 0;
        for (unsigned shift = 0; at < message.size() && shift < 64; shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(message[at++]);
            number |= (byte & 0x7f) << shift;
            if (byte < 0x80)
                break;
        }
        return number;
    };
    std::vector<std::uint64_t> versions;
    if (next() != 0) // the prelude
        for (std::uint64_t left = next(); left != 0 && at < message.size(); --left)
            versions.push_back(next());
    return versions;
}

} // namespace

std::string fingerprint_text(std::uint64_t fingerprint)
{
    char text[20];
    std::snprintf(text, sizeof text, "%016jx", std::uintmax_t{fingerprint});
    return text;
}

namespace detail {

void check_same_type(const schema& stored, const schema& wanted, const std::type_info& as)
{
    if (!stored.is_valid())
        throw error(errc::bad_value, "the store's schema of the object is damaged");
    const std::string difference = comparison(stored, wanted).run();
    if (!difference.empty())
        throw error(errc::bad_class, "the object is no " + boost::core::demangle(as.name()) + " (" +
                                         difference + "); it is " + short_line(stored));
}

void check_is_older(std::span<const std::byte> stored, std::span<const std::byte> again,
                    std::uint64_t fingerprint, const schema& wanted, const std::type_info& as)
{
    const std::vector<std::uint64_t> versions = versions_of(again);
    if (versions != versions_of(stored))
        return;
    // A class that the message does not have may be an older one in the other program.
    const auto shown = std::count_if(versions.begin(), versions.end(),
                                     [](std::uint64_t version) { return version != 0; });
    const auto& types = wanted.types();
    const auto known = std::count_if(types.begin(), types.end(), [](const schema_type& type) {
        return type.kind == schema_kind::record && type.version != 0;
    });
    if (shown < known)
        return;
    throw error(errc::bad_class, "the object is no " + boost::core::demangle(as.name()) +
                                     ": objects.schema tells what its fingerprint " +
                                     fingerprint_text(fingerprint) + " stands for");
}

bool known_types::has(std::uint64_t fingerprint) const
{
    const std::lock_guard lock(mutex_);
    return std::find(fingerprints_.begin(), fingerprints_.end(), fingerprint) !=
           fingerprints_.end();
}

void known_types::add(std::uint64_t fingerprint)
{
    // A program reads a few versions; one that finds more asks for their schemas again.
    constexpr std::size_t known_max = 64;
    const std::lock_guard lock(mutex_);
    if (fingerprints_.size() < known_max)
        fingerprints_.push_back(fingerprint);
}

} // namespace detail
} // namespace wharf::objects
