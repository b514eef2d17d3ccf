// Every row of tests/golden/archive by its type alone: what is accepted comes back from JSON to
// the byte, and what is refused is refused with the same code.
#include "archive_support.hpp"
#include "schema_notation.hpp"

#include <wharf/json.hpp>

#include <fstream>
#include <sstream>

using namespace archive_support;

namespace {

struct row {
    std::string place, type, refused;
    bytes image;
    wharf::limits limit;
};

bytes parse_hex(const std::string& text)
{
    bytes all;
    std::istringstream in(text);
    for (unsigned value = 0; in >> std::hex >> value;)
        all.push_back(static_cast<std::byte>(value));
    return all;
}

void set_limits(wharf::limits& limit, std::istream& settings)
{
    for (std::string setting; settings >> setting;) {
        const auto equals = setting.find('=');
        const std::string name = setting.substr(0, equals);
        const auto value = static_cast<std::uint32_t>(std::stoul(setting.substr(equals + 1)));
        (name == "depth"     ? limit.depth_max
         : name == "objects" ? limit.objects_max
                             : limit.chain_max) = value;
    }
}

std::vector<row> read_rows(const std::string& name, schema_notation::definitions& types)
{
    std::ifstream in(std::string(WHARF_GOLDEN_DIR "/archive/") + name);
    BOOST_REQUIRE(in);
    std::vector<row> rows;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (line.empty() || line[0] == '#')
            continue;
        if (word == "define") {
            words >> word;
            types.define(word, line.substr(line.find(word) + word.size() + 1));
        }
        else if (line[0] != ' ') {
            const auto colon = line.find(": ");
            rows.emplace_back().place = name + ": " + line.substr(0, colon);
            rows.back().image = parse_hex(line.substr(colon + 2));
        }
        else if (word == "type")
            rows.back().type = line.substr(line.find("type") + 6);
        else if (word == "refused")
            words >> rows.back().refused;
        else if (word == "limits")
            set_limits(rows.back().limit, words);
    }
    return rows;
}

/// The code that to_json fails with; empty where it does not.
std::string refusal(const wharf::schema& type, std::span<const std::byte> message,
                    const wharf::limits& limit, std::string* json = nullptr)
{
    try {
        const std::string text = wharf::to_json(type, message, limit);
        if (json != nullptr)
            *json = text;
        return {};
    }
    catch (const wharf::archive_error& e) {
        return std::string(wharf::to_name(e.code()));
    }
}

const std::vector<std::string> files = {"numbers.txt",  "containers.txt", "vocabulary.txt",
                                        "classes.txt",  "pointers.txt",   "tracking.txt",
                                        "versions.txt", "boost.txt"};

/// Types of two values, or of an older version than the definition's last, have another schema.
bool has_schema(const row& each)
{
    return each.type.find(" & ") == std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(golden_messages_come_back_from_json_to_the_byte)
{
    int count = 0, older = 0, not_unicode = 0;
    for (const std::string& file : files) {
        schema_notation::definitions types;
        for (const row& each : read_rows(file, types)) {
            if (!has_schema(each))
                continue;
            BOOST_TEST_CONTEXT(each.place)
            {
                const wharf::schema type = types.make(each.type);
                std::string json;
                const std::string code = refusal(type, each.image, each.limit, &json);
                if (file == "versions.txt" && code == "bad_value") {
                    ++older;
                    continue;
                }
                if (code == "bad_utf8") {
                    ++not_unicode;
                    continue;
                }
                BOOST_TEST(code == "");
                if (!code.empty())
                    continue;
                ++count;
                BOOST_TEST_INFO(json);
                try {
                    BOOST_TEST(to_hex(wharf::from_json(type, json, each.limit)) ==
                               to_hex(each.image));
                }
                catch (const wharf::error& e) {
                    BOOST_ERROR(e.what());
                }
                for (std::size_t n = 0; n < each.image.size(); ++n)
                    BOOST_TEST(refusal(type, std::span(each.image).first(n), each.limit) != "");
                bytes longer = each.image;
                longer.push_back(std::byte{0});
                BOOST_TEST(refusal(type, longer, each.limit) == "trailing_data");
            }
        }
    }
    BOOST_TEST(count > 100);
    BOOST_TEST(older == 3);
    BOOST_TEST(not_unicode == 2);
}

BOOST_AUTO_TEST_CASE(golden_refusals_have_the_same_code_by_schema)
{
    int count = 0;
    schema_notation::definitions types;
    for (const row& each : read_rows("refused.txt", types)) {
        if (!has_schema(each))
            continue;
        BOOST_TEST_CONTEXT(each.place)
        {
            BOOST_TEST(refusal(types.make(each.type), each.image, each.limit) == each.refused);
            ++count;
        }
    }
    BOOST_TEST(count > 75);
}
