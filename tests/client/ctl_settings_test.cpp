// Where wharfctl's endpoint, deadline and colours come from, and who has the last word.
#include "../../client/ctl_options.hpp"
#include "../../client/ctl_settings.hpp"
#include "fake_daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

using namespace wharf::ctl;

namespace {

struct files {
    fake::directory directory;

    files()
    {
        for (const char* name : {"WHARF_ENDPOINT", "WHARF_TIMEOUT", "XDG_CONFIG_HOME", "NO_COLOR"})
            ::unsetenv(name);
    }
    std::string path(const std::string& name) const { return directory.path() + "/" + name; }
    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream(path(name)) << text;
        return path(name);
    }
    /// What is wrong with a file of this text, without the file's own path.
    std::string refusal(const std::string& text) const
    {
        try {
            read_settings(write("f", text));
        }
        catch (const usage_error& e) {
            BOOST_TEST(e.text.starts_with(path("f")), e.text);
            return e.text.substr(path("f").size());
        }
        return "";
    }
    context decided(const shared_options& from) const
    {
        context made;
        decide(made, from, path("user"), path("system"));
        return made;
    }
};

double seconds(const context& c)
{
    return std::chrono::duration<double>(c.options.timeout).count();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(settings_suite, files)

BOOST_AUTO_TEST_CASE(a_file_may_set_endpoint_timeout_and_colour)
{
    const settings all = read_settings(
        write("f", "endpoint = \"host:1\"\ntimeout = 2.5\ncolour = \"never\" # mine\n"));
    BOOST_TEST(all.endpoint.value() == "host:1");
    BOOST_TEST(all.timeout_s.value() == 2.5);
    BOOST_TEST((all.colour.value() == colour_choice::never));
    BOOST_TEST(read_settings(write("f", "timeout = 3\n")).timeout_s.value() == 3);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_sets_nothing)
{
    const settings none = read_settings(path("absent/deep"));
    BOOST_TEST((!none.endpoint && !none.timeout_s && !none.colour));
}

BOOST_AUTO_TEST_CASE(errors_name_file_line_key_and_what_was_expected)
{
    BOOST_TEST(refusal("\ntimeout = \"soon\"\n") ==
               ":2: timeout: expected seconds from 0.001 to 86400");
    BOOST_TEST(refusal("timeout = 0\n") == ":1: timeout: expected seconds from 0.001 to 86400");
    BOOST_TEST(refusal("endpoint = 7\n") ==
               ":1: endpoint: expected an endpoint in quotes, as \"unix:/run/wharf/wharf.sock\"");
    BOOST_TEST(refusal("colour = \"red\"\n") ==
               ":1: colour: expected \"auto\", \"always\" or \"never\"");
    BOOST_TEST(refusal("\n\nendpont = \"x:1\"\n") ==
               ":3: endpont: unknown key; did you mean \"endpoint\"?");
    BOOST_TEST(refusal("xyzzy = 1\n") ==
               ":1: xyzzy: unknown key: there are endpoint, timeout and colour");
    BOOST_TEST(refusal("endpoint = \n").starts_with(":1: not TOML: "));
    BOOST_TEST(refusal(std::string(70000, '#')).starts_with(" holds more than 64 KiB"));
}

BOOST_AUTO_TEST_CASE(an_option_beats_the_environment_which_beats_the_files)
{
    BOOST_TEST(decided({}).endpoint == "unix:/run/wharf/wharf.sock");
    BOOST_TEST(decided({}).endpoint_origin == "wharfctl's defaults");
    BOOST_TEST(seconds(decided({})) == 10);
    write("system", "endpoint = \"system:1\"\ntimeout = 4\n");
    BOOST_TEST(decided({}).endpoint == "system:1");
    BOOST_TEST(decided({}).endpoint_origin == path("system"));
    BOOST_TEST(seconds(decided({})) == 4);
    write("user", "endpoint = \"user:1\"\ntimeout = 3\n");
    BOOST_TEST(decided({}).endpoint == "user:1");
    BOOST_TEST(decided({}).endpoint_origin == path("user"));
    BOOST_TEST(seconds(decided({})) == 3);
    ::setenv("WHARF_ENDPOINT", "environment:1", 1);
    ::setenv("WHARF_TIMEOUT", "2", 1);
    BOOST_TEST(decided({}).endpoint == "environment:1");
    BOOST_TEST(decided({}).endpoint_origin == "WHARF_ENDPOINT");
    BOOST_TEST(seconds(decided({})) == 2);
    shared_options options;
    options.endpoint = "option:1";
    options.timeout = "1";
    BOOST_TEST(decided(options).endpoint == "option:1");
    BOOST_TEST(decided(options).endpoint_origin == "--endpoint");
    BOOST_TEST(seconds(decided(options)) == 1);
}

BOOST_AUTO_TEST_CASE(a_timeout_that_is_none_says_who_named_it)
{
    const auto refused = [&](const shared_options& from) {
        try {
            decided(from);
        }
        catch (const usage_error& e) {
            return e.text;
        }
        return std::string();
    };
    shared_options options;
    options.timeout = "nan";
    BOOST_TEST(refused(options) == "--timeout: expected seconds from 0.001 to 86400, found nan");
    ::setenv("WHARF_TIMEOUT", "5s", 1);
    BOOST_TEST(refused({}) == "WHARF_TIMEOUT: expected seconds from 0.001 to 86400, found 5s");
}

BOOST_AUTO_TEST_CASE(colours_are_for_terminals_unless_somebody_says_otherwise)
{
    // The test's own output may be a terminal: a pipe's end is none.
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    BOOST_TEST(!style_of(colour_choice::automatic, ends[1]).is_on());
    BOOST_TEST(style_of(colour_choice::always, ends[1]).is_on());
    ::close(ends[0]);
    ::close(ends[1]);
    write("user", "colour = \"always\"\n");
    BOOST_TEST(decided({}).out.is_on());
    shared_options options;
    options.colour = "never";
    BOOST_TEST(!decided(options).out.is_on());
    BOOST_TEST(style(true).bold("x") == "\x1b[1mx\x1b[0m");
    BOOST_TEST(style(false).bold("x") == "x");
}

BOOST_AUTO_TEST_CASE(the_users_file_is_where_xdg_says)
{
    ::setenv("HOME", "/home/me", 1);
    BOOST_TEST(user_settings_file() == "/home/me/.config/wharf/wharfctl.toml");
    ::setenv("XDG_CONFIG_HOME", "relative", 1);
    BOOST_TEST(user_settings_file() == "/home/me/.config/wharf/wharfctl.toml");
    ::setenv("XDG_CONFIG_HOME", "/etc/me", 1);
    BOOST_TEST(user_settings_file() == "/etc/me/wharf/wharfctl.toml");
    ::unsetenv("XDG_CONFIG_HOME");
    ::unsetenv("HOME");
    BOOST_TEST(user_settings_file() == "");
}

BOOST_AUTO_TEST_SUITE_END()
