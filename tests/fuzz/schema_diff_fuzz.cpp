// Any text as a file of schemas, and any bytes as two types that are compared.
#include "archive_fuzz.hpp"

#include <wharf/schema_diff.hpp>

#include <utility>

using namespace archive_fuzz;

namespace {

void try_file(std::string_view text)
{
    wharf::schema_catalogue read;
    try {
        read = wharf::catalogue_from_json(text);
    }
    catch (const wharf::error&) {
        return;
    }
    was_accepted = true;
    require(wharf::catalogue_from_json(to_json(read)).commands.size() == read.commands.size(),
            "what was read is written so that it is read again");
    try {
        require(wharf::compare_catalogues(read, read).empty(), "nothing differs from itself");
    }
    catch (const wharf::error& e) {
        require(e.code() == wharf::errc::message_limit, "what was read can be compared");
    }
}

void try_types(std::span<const std::byte> message)
{
    using two_types = std::pair<wharf::schema_history, wharf::schema_history>;
    try {
        const auto types = wharf::from_bytes<two_types>(message, small_limits());
        was_accepted = true;
        using use = wharf::schema_use;
        for (const use each : {use::to_daemon, use::to_client, use::stored})
            for (const auto& change : wharf::compare_types(types.first, types.second, each))
                require(!change.why.empty() && change.path.starts_with("type"),
                        "a change has a place and a reason");
        require(wharf::compare_types(types.first, types.first, use::stored).empty(),
                "nothing differs from itself");
    }
    catch (const wharf::error&) {
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    was_accepted = false;
    if (size == 0)
        return 0;
    if (data[0] == '{') {
        try_file({reinterpret_cast<const char*>(data), size});
        return 0;
    }
    const std::vector<std::byte> tight(reinterpret_cast<const std::byte*>(data) + 1,
                                       reinterpret_cast<const std::byte*>(data) + size);
    try_types(tight);
    return 0;
}
