// Debian's package database as typed records: what /var/lib/dpkg/status says of each package.
#pragma once

#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dpkg {

/// [epoch:]upstream[-revision]
struct version_number {
    std::optional<std::uint32_t> epoch;
    std::string upstream;
    std::optional<std::string> revision;
    bool operator==(const version_number&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(epoch) & BOOST_SERIALIZATION_NVP(upstream) &
            BOOST_SERIALIZATION_NVP(revision);
    }
};

enum class relation : std::uint8_t { earlier, earlier_equal, equal, later_equal, later };

/// name[:arch] [(relation version)]
struct dependency {
    std::string name;
    std::optional<std::string> architecture;
    std::optional<relation> how;
    std::optional<version_number> version;
    bool operator==(const dependency&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(architecture) &
            BOOST_SERIALIZATION_NVP(how) & BOOST_SERIALIZATION_NVP(version);
    }
};
/// One of them is enough: "a | b".
using alternatives = std::vector<dependency>;

using md5 = std::array<std::uint8_t, 16>;

struct conffile {
    std::string path;
    std::variant<md5, std::string> digest; ///< or dpkg's word for a file that has none
    std::vector<std::string> flags;        ///< "obsolete", "remove-on-upgrade"
    bool operator==(const conffile&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(path) & BOOST_SERIALIZATION_NVP(digest) &
            BOOST_SERIALIZATION_NVP(flags);
    }
};

enum class priority : std::uint8_t { required, important, standard, optional, extra, other };
enum class want : std::uint8_t { unknown, install, hold, deinstall, purge };
enum class state : std::uint8_t {
    not_installed,
    config_files,
    half_installed,
    unpacked,
    half_configured,
    triggers_awaited,
    triggers_pending,
    installed
};

struct status {
    dpkg::want want{};
    bool reinstall_required = false;
    dpkg::state state{};
    bool operator==(const status&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(want) & BOOST_SERIALIZATION_NVP(reinstall_required) &
            BOOST_SERIALIZATION_NVP(state);
    }
};

struct description {
    std::string summary;
    std::vector<std::string> body; ///< lines; an empty one is a paragraph's end
    bool operator==(const description&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(summary) & BOOST_SERIALIZATION_NVP(body);
    }
};

struct package {
    std::string name;
    std::string architecture; ///< empty for one that was never unpacked
    dpkg::status status;
    std::optional<version_number> version;
    std::optional<dpkg::priority> priority;
    std::string section;
    std::string maintainer;
    std::optional<std::uint64_t> installed_size_kib;
    bool essential = false;
    std::optional<std::string> homepage;
    /// "Depends", "Pre-Depends", "Recommends", "Provides" ...: every alternative of each.
    std::map<std::string, std::vector<alternatives>> relations;
    dpkg::description description;
    std::vector<conffile> conffiles;
    /// Fields that this program does not interpret, word for word. Since version 1.
    std::map<std::string, std::string> other;

    bool operator==(const package&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version_of_class)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(architecture) &
            BOOST_SERIALIZATION_NVP(status) & BOOST_SERIALIZATION_NVP(version) &
            BOOST_SERIALIZATION_NVP(priority) & BOOST_SERIALIZATION_NVP(section) &
            BOOST_SERIALIZATION_NVP(maintainer) & BOOST_SERIALIZATION_NVP(installed_size_kib) &
            BOOST_SERIALIZATION_NVP(essential) & BOOST_SERIALIZATION_NVP(homepage) &
            BOOST_SERIALIZATION_NVP(relations) & BOOST_SERIALIZATION_NVP(description) &
            BOOST_SERIALIZATION_NVP(conffiles);
        if (version_of_class >= 1)
            ar& BOOST_SERIALIZATION_NVP(other);
    }
};

/// What is wrong with a status file, and where.
class status_error : public std::runtime_error {
public:
    status_error(std::size_t line, const std::string& what)
        : std::runtime_error("line " + std::to_string(line) + ": " + what), line_(line)
    {}
    std::size_t line() const noexcept { return line_; }

private:
    std::size_t line_;
};

/// Bounds of a status file.
inline constexpr std::size_t file_bytes_max = 256u << 20;
inline constexpr std::size_t packages_max = 1'000'000;
inline constexpr std::size_t stanza_bytes_max = 4u << 20;
inline constexpr std::size_t fields_max = 200;

/// Reads a status file. Throws status_error for whatever dpkg would not have written.
std::vector<package> parse_status(std::string_view text);

/// "package/NAME:ARCH"
std::string key_of(const package& p);

/// The name of the first field that differs; empty when none does.
std::string first_difference(const package& a, const package& b);

} // namespace dpkg

BOOST_CLASS_VERSION(dpkg::package, 1)
