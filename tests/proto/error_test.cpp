// Row 24: every code has its number, name and sentence, in the header, the program and the README.
#include <wharf/error.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace wharf;

namespace {

std::string read(const std::string& path)
{
    std::ifstream file(std::filesystem::path(WHARF_SOURCE_DIR) / path);
    BOOST_REQUIRE_MESSAGE(file, path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct row {
    std::string name;
    std::string sentence;
    bool operator==(const row&) const = default;
};
using table = std::map<unsigned, row>;

/// The codes that the program knows, found by asking for every number.
table known_codes()
{
    table known;
    for (unsigned number = 0; number <= 0xffff; ++number)
        if (const auto name = to_name(static_cast<errc>(number)); !name.empty())
            known[number] = {std::string(name),
                             std::string(to_sentence(static_cast<errc>(number)))};
    return known;
}

std::string trimmed(const std::string& text)
{
    const auto begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? ""
                                      : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool consists_of(const std::string& text, const char* characters)
{
    return !text.empty() && text.find_first_not_of(characters) == std::string::npos;
}

/// What stands between the bars of a line of a table.
std::vector<std::string> cells_of(const std::string& line)
{
    std::vector<std::string> cells;
    for (auto begin = line.find('|'); begin != std::string::npos;) {
        const auto end = line.find('|', begin + 1);
        if (end != std::string::npos)
            cells.push_back(trimmed(line.substr(begin + 1, end - begin - 1)));
        begin = end;
    }
    return cells;
}

void check_equal(const table& found, const table& known)
{
    for (const auto& [number, r] : known) {
        BOOST_TEST_CONTEXT("code " << number << " " << r.name)
        {
            BOOST_REQUIRE(found.contains(number));
            BOOST_TEST(found.at(number).name == r.name);
            BOOST_TEST(found.at(number).sentence == r.sentence);
        }
    }
    for (const auto& [number, r] : found)
        BOOST_TEST(known.contains(number), "unknown code " << number << " " << r.name);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_enum_in_the_header_equals_the_programs_table_row_24)
{
    const std::string header = read("proto/wharf/error.hpp");
    const auto begin = header.find("enum class errc");
    const std::string body = header.substr(begin, header.find("};", begin) - begin);
    table declared;
    for (auto at = body.find("///<"); at != std::string::npos; at = body.find("///<", at + 1)) {
        // name = number, ///< sentence; the name may stand on a line before.
        const auto equals = body.rfind('=', at);
        const auto name_end = body.find_last_not_of(" \n", equals - 1) + 1;
        const auto name_begin = body.find_last_of(" \n", name_end - 1) + 1;
        declared[static_cast<unsigned>(std::stoul(body.substr(equals + 1)))] = {
            body.substr(name_begin, name_end - name_begin),
            trimmed(body.substr(at + 4, body.find('\n', at) - at - 4))};
    }
    BOOST_TEST(declared.size() > 40u);
    check_equal(declared, known_codes());
}

BOOST_AUTO_TEST_CASE(the_readmes_table_equals_the_programs_row_24)
{
    const std::string readme = read("proto/README.md");
    table documented;
    std::istringstream lines(readme);
    for (std::string line; std::getline(lines, line);) {
        // | number | `name` | sentence |
        const auto cells = cells_of(line);
        if (cells.size() != 3 || !consists_of(cells[0], "0123456789") ||
            !cells[1].starts_with('`') || consists_of(cells[1], "`0123456789") ||
            !consists_of(cells[1], "`abcdefghijklmnopqrstuvwxyz_0123456789"))
            continue;
        BOOST_REQUIRE(cells[1].size() > 2u);
        const auto number = static_cast<unsigned>(std::stoul(cells[0]));
        BOOST_TEST(!documented.contains(number), "code " << number << " stands twice");
        documented[number] = {cells[1].substr(1, cells[1].size() - 2), cells[2]};
    }
    check_equal(documented, known_codes());
}

BOOST_AUTO_TEST_CASE(names_and_sentences_are_unique)
{
    std::map<std::string, unsigned> names, sentences;
    for (const auto& [number, r] : known_codes()) {
        BOOST_TEST(names.emplace(r.name, number).second, r.name);
        BOOST_TEST(sentences.emplace(r.sentence, number).second, r.sentence);
        BOOST_TEST(!r.sentence.empty());
        BOOST_TEST(r.sentence.back() != '.');
    }
}

BOOST_AUTO_TEST_CASE(a_number_from_the_wire_becomes_a_known_code)
{
    BOOST_CHECK(errc_from_wire(107) == errc::not_found);
    BOOST_CHECK(errc_from_wire(0) == errc::internal);
    BOOST_CHECK(errc_from_wire(9999) == errc::internal);
    for (const auto& [number, r] : known_codes())
        BOOST_CHECK(errc_from_wire(static_cast<std::uint16_t>(number)) ==
                    static_cast<errc>(number));
}

BOOST_AUTO_TEST_CASE(a_code_converts_to_an_error_code_of_our_category)
{
    const error_code code = errc::not_found;
    BOOST_TEST(code.value() == 107);
    BOOST_TEST(std::string(code.category().name()) == "wharf");
    BOOST_TEST(code.message() == "there is no such object");
    BOOST_TEST(error_code(9999, wharf_category()).message() == "unknown error 9999");
    BOOST_CHECK(&code.category() == &wharf_category());
    BOOST_CHECK(code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(an_exception_says_sentence_and_text)
{
    const error with_text(errc::not_found, "no object 7", std::chrono::milliseconds(5));
    BOOST_TEST(std::string(with_text.what()) == "there is no such object: no object 7");
    BOOST_TEST(with_text.text() == "no object 7");
    BOOST_TEST(with_text.retry_after().count() == 5);
    BOOST_TEST(std::string(error(errc::cancelled).what()) == "the caller gave up");
    BOOST_CHECK(with_text.code() == errc::not_found);
}
