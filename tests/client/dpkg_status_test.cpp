// The parser of the package database: what it reads, what it refuses, and that records travel.
#include "dpkg_status.hpp"

#include <wharf/archive.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

namespace {

constexpr const char* two_packages = R"(Package: libc6
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 12992
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Version: 1:2.36-9+deb12u4
Depends: libgcc-s1, libcrypt1 (>= 1:4.4.10-10~), a:any (<< 2) | b (= 1-1-1)
Conffiles:
 /etc/ld.so.conf.d/x86 64.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
 /etc/old cc3493ecd2d09837ffdcc3e25fdfff18 obsolete
 /etc/new newconffile
Description: GNU C Library: Shared libraries
 Contains the standard libraries.
 .
  indented
Essential: yes
Homepage: https://www.gnu.org/software/libc/libc.html

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0-2-3

)";

/// The line that the error names; 0 when there is none.
std::size_t refused_line(const std::string& text)
{
    try {
        dpkg::parse_status(text);
    }
    catch (const dpkg::status_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.line();
    }
    return 0;
}

/// A stanza that is right but for one more line.
std::string with_line(const std::string& line)
{
    return "Package: p\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n" + line +
           "\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(dpkg_status)

BOOST_AUTO_TEST_CASE(every_field_of_a_stanza_is_read)
{
    const auto packages = dpkg::parse_status(two_packages);
    BOOST_REQUIRE(packages.size() == 2u);
    const dpkg::package& p = packages[0];
    BOOST_TEST(dpkg::key_of(p) == "package/libc6:amd64");
    BOOST_TEST((p.status == dpkg::status{dpkg::want::install, false, dpkg::state::installed}));
    BOOST_TEST((p.priority == dpkg::priority::optional));
    BOOST_TEST((p.version == dpkg::version_number{1, "2.36", "9+deb12u4"}));
    BOOST_TEST(p.installed_size_kib.value() == 12992u);
    BOOST_TEST(p.essential);
    BOOST_TEST(p.homepage.value() == "https://www.gnu.org/software/libc/libc.html");
    BOOST_TEST(p.other.at("Multi-Arch") == "same");
    const auto& depends = p.relations.at("Depends");
    BOOST_REQUIRE(depends.size() == 3u);
    BOOST_TEST(depends[0][0].name == "libgcc-s1");
    BOOST_TEST((depends[1][0].how == dpkg::relation::later_equal));
    BOOST_TEST((depends[1][0].version == dpkg::version_number{1, "4.4.10", "10~"}));
    BOOST_REQUIRE(depends[2].size() == 2u);
    BOOST_TEST(depends[2][0].architecture.value() == "any");
    BOOST_TEST((depends[2][1].version == dpkg::version_number{{}, "1-1", "1"}));
    BOOST_REQUIRE(p.conffiles.size() == 3u);
    BOOST_TEST(p.conffiles[0].path == "/etc/ld.so.conf.d/x86 64.conf");
    BOOST_TEST(std::get<dpkg::md5>(p.conffiles[0].digest)[0] == 0xd4);
    BOOST_TEST(p.conffiles[1].flags.at(0) == "obsolete");
    BOOST_TEST(std::get<std::string>(p.conffiles[2].digest) == "newconffile");
    BOOST_TEST(p.description.summary == "GNU C Library: Shared libraries");
    BOOST_TEST(p.description.body ==
                   (std::vector<std::string>{"Contains the standard libraries.", "", " indented"}),
               boost::test_tools::per_element());
    BOOST_TEST((packages[1].status.state == dpkg::state::config_files));
}

BOOST_AUTO_TEST_CASE(a_record_comes_back_from_its_bytes)
{
    for (const dpkg::package& p : dpkg::parse_status(two_packages)) {
        const auto back = wharf::from_bytes<dpkg::package>(wharf::to_bytes(p));
        BOOST_TEST((back == p));
        BOOST_TEST(dpkg::first_difference(p, back) == "");
    }
}

BOOST_AUTO_TEST_CASE(a_difference_names_its_field)
{
    const auto packages = dpkg::parse_status(two_packages);
    dpkg::package changed = packages[0];
    changed.conffiles[1].flags.clear();
    BOOST_TEST(dpkg::first_difference(packages[0], changed) == "conffiles");
    changed = packages[0];
    changed.relations.at("Depends")[2].pop_back();
    BOOST_TEST(dpkg::first_difference(packages[0], changed) == "relations");
    changed = packages[0];
    changed.other.clear();
    BOOST_TEST(dpkg::first_difference(packages[0], changed) == "other");
}

BOOST_AUTO_TEST_CASE(a_malformed_stanza_is_refused_with_its_line)
{
    BOOST_TEST(refused_line(with_line("Section: x")) == 0u);
    BOOST_TEST(refused_line(with_line("no colon")) == 5u);
    BOOST_TEST(refused_line(with_line(": no name")) == 5u);
    BOOST_TEST(refused_line(with_line("Version: 2")) == 5u); // twice
    BOOST_TEST(refused_line(with_line("Installed-Size: 12x")) == 5u);
    BOOST_TEST(refused_line(with_line("Installed-Size: 99999999999999999999999")) == 5u);
    BOOST_TEST(refused_line(with_line("Essential: maybe")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a (>= 1")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a (~ 1)")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a,, b")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a |")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a: (= 1)")) == 5u);
    BOOST_TEST(refused_line(with_line("Depends: a\n b")) == 6u);
    BOOST_TEST(refused_line(with_line("Conffiles:\n /a d4e7\n")) == 6u);
    BOOST_TEST(refused_line(with_line("Conffiles:\n /etc/x Z4e7a7b88a71b5ffd9e2644e71a0cfab")) ==
               6u);
    BOOST_TEST(refused_line(with_line("Conffiles:\n relative cc3493ecd2d09837ffdcc3e25fdfff18")) ==
               6u);
    BOOST_TEST(refused_line(" continues nothing\n") == 1u);
    BOOST_TEST(refused_line("\n\nStatus: install ok installed\n") == 3u);
    BOOST_TEST(refused_line("Package: p\nStatus: install ok\n") == 2u);
    BOOST_TEST(refused_line("Package: p\nVersion: 1\n") == 1u);
    BOOST_TEST(refused_line("Package: p\nStatus: install ok installed\n") == 1u);
    BOOST_TEST(refused_line("Package: p\nStatus: install ok installed") == 2u); // cut off
    BOOST_TEST(refused_line("Package: p\nStatus: purge ok not-installed\nX: a\n") == 0u);
    BOOST_TEST(refused_line(with_line("Version-2: " + std::string("a\0b", 3))) == 5u);
    BOOST_TEST(refused_line("Package: p\nStatus: install ok installed\nArchitecture: all\n"
                            "Version: 1 2\n") == 4u);
    BOOST_TEST(refused_line(with_line("") + with_line("")) == 6u); // the same package again
}

BOOST_AUTO_TEST_CASE(a_stanza_is_bounded)
{
    std::string fields;
    for (std::size_t i = 0; i < dpkg::fields_max; ++i)
        fields += "X-" + std::to_string(i) + ": x\n";
    BOOST_TEST(refused_line(with_line(fields)) > 0u);
    BOOST_TEST(refused_line(with_line("X: " + std::string(dpkg::stanza_bytes_max, 'x'))) == 5u);
}

BOOST_AUTO_TEST_CASE(the_database_of_this_machine_travels)
{
    std::ifstream file("/var/lib/dpkg/status", std::ios::binary);
    if (!file) {
        BOOST_TEST_MESSAGE("skipped: this machine has no /var/lib/dpkg/status");
        return;
    }
    std::ostringstream text;
    text << file.rdbuf();
    const auto packages = dpkg::parse_status(text.str());
    BOOST_TEST(packages.size() > 0u);
    for (const dpkg::package& p : packages)
        BOOST_REQUIRE_EQUAL(
            dpkg::first_difference(p, wharf::from_bytes<dpkg::package>(wharf::to_bytes(p))), "");
}

BOOST_AUTO_TEST_SUITE_END()
