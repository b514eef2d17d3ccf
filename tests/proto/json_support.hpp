// What the tests of JSON share: a C++ value, its message and its text must be three forms of one.
#pragma once

#include "archive_support.hpp"
#include "schema_notation.hpp"

#include <wharf/json.hpp>

namespace json_support {

using archive_support::bytes;
using archive_support::make_bytes;
using archive_support::to_hex;

/// The value's message is shown as `json`, which gives the same message, which loads.
template <class T>
void check_json(const T& value, const wharf::schema& type, const std::string& json)
{
    const bytes image = wharf::to_bytes(value);
    BOOST_TEST(wharf::to_json(type, image) == json);
    const bytes again = wharf::from_json(type, json);
    BOOST_TEST(to_hex(again) == to_hex(image));
    BOOST_TEST(to_hex(wharf::to_bytes(wharf::from_bytes<T>(again))) == to_hex(image));
}
template <class T>
void check_json(const T& value, const std::string& type, const std::string& json)
{
    check_json(value, schema_notation::make(type), json);
}

/// Another text of the same value.
template <class T>
void check_read(const T& value, const std::string& type, const std::string& json)
{
    BOOST_TEST(to_hex(wharf::from_json(schema_notation::make(type), json)) ==
               to_hex(wharf::to_bytes(value)));
}

/// Code and text of what a call throws: "bad_json in a.b: expected ...".
template <class Function>
std::string refusal(Function call)
{
    try {
        (void)call();
        return "accepted";
    }
    catch (const wharf::archive_error& e) {
        return std::string(wharf::to_name(e.code())) + " " + e.text();
    }
}

} // namespace json_support
