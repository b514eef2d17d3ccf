// The smallest server: as the README shows it, compiled, run and called.
#include "daemon/process.hpp"
#include "support.hpp"

#include <wharf/blocking_client.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <string>

#include <csignal>

namespace {

struct echo {
    using reply = std::string;
    static constexpr std::string_view name = "echo.text";
    std::string text;
};

/// The block of C++ in README.md that serves echo.
std::string readme_block()
{
    std::ifstream file(WHARF_SOURCE_DIR "/README.md");
    std::ostringstream all;
    all << file.rdbuf();
    const std::string text = all.str();
    const std::size_t inside = text.find("router.on<echo>");
    if (inside == text.npos)
        return {};
    const std::size_t begin = text.rfind("```cpp\n", inside) + 7;
    return text.substr(begin, text.find("```", inside) - begin);
}

} // namespace

// Row 92: that it compiles as it stands is what the tidy test and the build say.
BOOST_AUTO_TEST_CASE(row_92_the_readmes_echo_server_has_15_lines_and_answers)
{
    std::istringstream block(readme_block());
    int lines = 0;
    for (std::string line; std::getline(block, line);)
        lines += line.find_first_not_of(' ') != line.npos;
    BOOST_TEST(lines > 10);
    BOOST_TEST(lines <= 15);

    stress::scratch directory;
    const std::string where = "unix:" + directory / "echo";
    wharf::test::process echod({ECHOD, "--listen", where});
    wharf::blocking_client client(where, {.timeout = stress::patience});
    BOOST_TEST(client.call(echo{"hello"}) == "hello");
    BOOST_TEST((client.call(echo{std::string(300000, 'x')}) == std::string(300000, 'x')));
    echod.signal(SIGTERM);
    BOOST_TEST(echod.wait() == 0);
}
