// The rows of tests/golden/archive for tests: every row must be used, and each once.
#pragma once

#include "archive_support.hpp"

#include <wharf/json.hpp>
#include <wharf/schema.hpp>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace archive_golden {

using archive_support::bytes;
using archive_support::to_hex;

struct row {
    std::string hex;
    std::string refused; ///< the name of an error code
    wharf::limits limit;
    bytes image() const
    {
        bytes all;
        std::istringstream in(hex);
        for (unsigned value = 0; in >> std::hex >> value;)
            all.push_back(static_cast<std::byte>(value));
        return all;
    }
};

inline void set_limit(wharf::limits& limit, const std::string& setting)
{
    const auto equals = setting.find('=');
    BOOST_REQUIRE_MESSAGE(equals != setting.npos, setting);
    const auto value = static_cast<std::uint32_t>(std::stoul(setting.substr(equals + 1)));
    const std::string name = setting.substr(0, equals);
    BOOST_REQUIRE_MESSAGE(name == "depth" || name == "objects" || name == "chain", name);
    (name == "depth"     ? limit.depth_max
     : name == "objects" ? limit.objects_max
                         : limit.chain_max) = value;
}

/// "name: hex bytes", and behind it indented lines; types and values are those of decode.py.
inline std::map<std::string, row> read_rows(const std::string& file)
{
    std::ifstream in(std::string(WHARF_GOLDEN_DIR "/archive/") + file);
    BOOST_REQUIRE_MESSAGE(in, "cannot read " + file);
    std::map<std::string, row> all;
    auto last = all.end();
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#' || line.starts_with("define "))
            continue;
        if (line[0] != ' ') {
            const auto colon = line.find(": ");
            BOOST_REQUIRE_MESSAGE(colon != line.npos, line);
            bool is_new = false;
            std::tie(last, is_new) =
                all.emplace(line.substr(0, colon), row{line.substr(colon + 2), {}, {}});
            BOOST_TEST(is_new, line);
            continue;
        }
        BOOST_REQUIRE_MESSAGE(last != all.end(), line);
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "refused")
            words >> last->second.refused;
        else if (word == "limits")
            while (words >> word)
                set_limit(last->second.limit, word);
    }
    BOOST_TEST(!all.empty());
    return all;
}

/// The message by its type's schema: JSON gives it back to the byte. A type that has none says why.
inline void check_json(const wharf::schema& type, const bytes& image)
{
    if (!type.is_walkable()) {
        BOOST_TEST_MESSAGE("not in JSON: " << type.opaque_reason());
        return;
    }
    try {
        const std::string text = wharf::to_json(type, image);
        BOOST_TEST_MESSAGE(type.to_line() << " as " << text);
        BOOST_TEST(to_hex(wharf::from_json(type, text)) == to_hex(image));
    }
    catch (const wharf::error& e) {
        // What is no Unicode is no JSON.
        BOOST_TEST((e.code() == wharf::errc::bad_utf8), e.what());
    }
}

/// The rows of one file; each must be taken, and nothing else.
class rows {
public:
    explicit rows(const std::string& file) : rows_(read_rows(file)) {}
    rows(const rows&) = delete;
    rows& operator=(const rows&) = delete;
    ~rows()
    {
        for (const auto& [name, unused] : rows_)
            BOOST_ERROR("nothing checks the golden row " + name);
    }

    /// The value's bytes are the row's, and the row's bytes are the value.
    template <class T>
    void check(const std::string& name, const T& value)
    {
        check(name, value, [&](const T& back) { return back == value; });
    }
    /// The same for what has no ==: the loaded value is as it should be.
    template <class T>
    void check(const std::string& name, const T& value,
               std::type_identity_t<std::function<bool(const T&)>> is_right)
    {
        BOOST_TEST_CONTEXT(name)
        {
            const row golden = take(name);
            BOOST_TEST(to_hex(wharf::to_bytes(value)) == golden.hex);
            check_json(wharf::schema_of<T>(), golden.image());
            load<T>(golden, is_right, true);
        }
    }
    /// What is only read: this program stores it otherwise.
    template <class T>
    void check_load(const std::string& name,
                    std::type_identity_t<std::function<bool(const T&)>> is_right)
    {
        BOOST_TEST_CONTEXT(name)
        load<T>(take(name), is_right, false);
    }
    template <class T>
    void refuse(const std::string& name)
    {
        BOOST_TEST_CONTEXT(name)
        {
            const row golden = take(name);
            BOOST_TEST(wharf::to_name(archive_support::refusal_of<T>(
                           golden.image(), golden.limit)) == golden.refused);
        }
    }

    /// For what is not one value.
    row take(const std::string& name)
    {
        const auto node = rows_.extract(name);
        BOOST_REQUIRE_MESSAGE(!node.empty(), "there is no golden row " + name);
        return node.mapped();
    }

private:
    template <class T>
    static void load(const row& golden, const std::function<bool(const T&)>& is_right,
                     bool is_canonical)
    {
        const bytes image = golden.image();
        T back{};
        wharf::load_archive archive(image);
        archive >> back;
        archive.finish();
        BOOST_TEST(is_right(back));
        if (is_canonical)
            BOOST_TEST(to_hex(wharf::to_bytes(back)) == golden.hex);
    }

    std::map<std::string, row> rows_;
};

} // namespace archive_golden
