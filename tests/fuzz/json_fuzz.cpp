// Any text as JSON of a type: what is accepted is a message whose JSON gives the same message.
#include "json_types.hpp"

using namespace archive_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    was_accepted = false;
    if (size == 0)
        return 0;
    const wharf::schema& type = json_fuzz::type_of(data[0]);
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::vector<std::byte> message;
    try {
        message = wharf::from_json(type, text, small_limits());
    }
    catch (const wharf::archive_error& e) {
        require(e.offset() == wharf::archive_error::no_offset, "nobody has seen the bytes");
        require(!std::string_view(e.what()).empty(), "an error has words");
        return 0;
    }
    was_accepted = true;
    const std::string shown = wharf::to_json(type, message, small_limits());
    require(wharf::from_json(type, shown, small_limits()) == message,
            "what is shown of a message gives the same message");
    const auto missing = wharf::from_json(type, text, small_limits(), {}, message);
    require(wharf::from_json(type, shown, small_limits(), {}, message) == message,
            "nothing is missing of what is shown");
    require(!missing.empty(), "a value is its own default");
    return 0;
}
