// Objects that one program stored with their types, shown by another that does not have these.
#include "../daemon/store_support.hpp"
#include "program.hpp"

#include "objects.hpp"

#include <wharf/server.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>

using program::run;
using store_test::scratch;

namespace {

constexpr const char* status_file = R"(Package: made-up
Status: install ok installed
Priority: optional
Section: misc
Installed-Size: 12
Maintainer: Nobody <nobody@example.org>
Architecture: amd64
Version: 1:2.0-3
Depends: libc6 (>= 2.36) | other, third
Description: a package
 that is made up
)";

/// A daemon with a store, and the two programs.
class fixture {
public:
    fixture() : store_(store_test::options_for(directory_.path())), server_(options())
    {
        server_.serve(wharf::objects_service(store_));
        server_.start();
        endpoint_ = " --endpoint " + wharf::to_string(server_.endpoints().at(0));
        std::ofstream(directory_.file("status")) << status_file;
    }

protected:
    program::result ctl(const std::string& arguments)
    {
        return run(WHARFCTL + endpoint_ + " " + arguments + " 2>&1");
    }
    program::result store_packages()
    {
        return run(PACKAGE_CATALOGUE + endpoint_ + " --file " + directory_.file("status") +
                   " 2>&1");
    }
    scratch directory_;

private:
    wharf::server_options options()
    {
        wharf::server_options o;
        wharf::listener_options& on = o.listeners.emplace_back();
        on.name = "test";
        on.where = wharf::unix_endpoint{directory_.file("s")};
        o.allow.push_back({"*", "unix", "self", "all"});
        o.roles.push_back({"all", {"*"}});
        o.threads = 1;
        return o;
    }

    wharf::store store_;
    wharf::server server_;
    std::string endpoint_;
};

std::string content_of(const char* file)
{
    std::ifstream from(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(stored_json, fixture)

BOOST_AUTO_TEST_CASE(a_package_of_the_catalogue_prints_as_json_without_its_type)
{
    // The name of the class, as the compiler writes it: the one program has it, the other has not.
    BOOST_TEST(contains(content_of(PACKAGE_CATALOGUE), "N4dpkg7packageE"));
    BOOST_TEST(!contains(content_of(WHARFCTL), "N4dpkg7packageE"));

    const auto stored = store_packages();
    BOOST_TEST(stored.status == 0, stored.output);
    const auto keys = ctl("ls");
    const std::string key = keys.output.substr(0, keys.output.find('\t'));
    const auto shown = ctl("get --json '" + key + "'");
    BOOST_TEST(shown.status == 0, shown.output);
    for (const char* part :
         {R"({"name": "made-up", "architecture": "amd64", )", R"("version": {"epoch": 1, )",
          R"("name": "libc6")", R"("summary": "a package")", R"("that is made up")"})
        BOOST_TEST(contains(shown.output, part), part << " is not in " << shown.output);
    BOOST_TEST(shown.output.find('\n') == shown.output.size() - 1);
    // A person sees it on lines of its own.
    const auto terminal = run("script -qec \"" WHARFCTL " --endpoint unix:" + directory_.file("s") +
                              " get '" + key + "'\" /dev/null");
    BOOST_TEST(contains(terminal.output, "{\r\n  \"name\": \"made-up\",\r\n"), terminal.output);
    // A program gets the bytes, as ever.
    BOOST_TEST(!contains(ctl("get '" + key + "'").output, "\"made-up\""));
    BOOST_TEST(!contains(ctl("get --raw '" + key + "'").output, "\"made-up\""));
}

BOOST_AUTO_TEST_CASE(what_has_no_type_says_so)
{
    BOOST_TEST(ctl("put k v").status == 0);
    const auto shown = ctl("get --json k");
    BOOST_TEST(shown.status == 6);
    BOOST_TEST(shown.output == "wharfctl: k was stored without a type: leave --json out\n");
    BOOST_TEST(ctl("get --json --raw k").status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
