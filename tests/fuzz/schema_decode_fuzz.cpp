// Any bytes as a message of a type, and any bytes as a schema and a message of it.
#include "json_types.hpp"

using namespace archive_fuzz;

namespace {

void try_known(const wharf::schema& type, std::span<const std::byte> message)
{
    std::string text;
    try {
        text = wharf::to_json(type, message, small_limits());
    }
    catch (const wharf::archive_error& e) {
        require(e.text().starts_with("at byte "), "an error says where");
        return;
    }
    was_accepted = true;
    const auto again = wharf::from_json(type, text, small_limits());
    require(std::ranges::equal(again, message), "accepted bytes come back from JSON");
}

/// A schema that travelled says anything.
void try_hostile(std::span<const std::byte> bytes)
{
    const auto size = static_cast<std::size_t>(bytes[0]) + 256 * static_cast<std::size_t>(bytes[1]);
    const std::size_t n = std::min(size, bytes.size() - 2);
    wharf::json_options options;
    options.json_bytes_max = 1u << 20;
    try {
        const auto type = wharf::from_bytes<wharf::schema>(bytes.subspan(2, n), small_limits());
        const auto message = bytes.subspan(2 + n);
        const std::string text = wharf::to_json(type, message, small_limits(), options);
        was_accepted = true;
        (void)wharf::from_json(type, text, small_limits(), options);
        (void)wharf::from_json(type, "{}", small_limits(), options);
    }
    catch (const wharf::archive_error&) {
    }
}

constexpr std::uint8_t hostile = 255;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    was_accepted = false;
    if (size == 0)
        return 0;
    const std::vector<std::byte> tight(reinterpret_cast<const std::byte*>(data) + 1,
                                       reinterpret_cast<const std::byte*>(data) + size);
    if (data[0] != hostile)
        try_known(json_fuzz::type_of(data[0]), tight);
    else if (tight.size() >= 2)
        try_hostile(tight);
    return 0;
}
