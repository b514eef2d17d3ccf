// Messages to JSON and back: the steps, each of which is a file of its own.
#include <wharf/json.hpp>

#include "json_encoder.hpp"
#include "schema_reader.hpp"

#include <wharf/schema.hpp>

namespace wharf {

std::string to_json(const schema& type, std::span<const std::byte> message, const limits& limit,
                    const json_options& options)
{
    const detail::schema_view types(type.types());
    // Once to see whether it is sound, and which objects something refers to.
    detail::schema_reader first(types, message, limit, nullptr);
    first.read();
    detail::json_writer out(options);
    detail::schema_reader second(types, message, limit, &out);
    second.read(first.referred());
    return out.take();
}

std::vector<std::byte> from_json(const schema& type, std::string_view json, const limits& limit,
                                 const json_options& options, std::span<const std::byte> defaults)
{
    if (json.size() > options.json_bytes_max)
        throw archive_error(errc::message_limit, archive_error::no_offset, {},
                            "the text is longer than json_bytes_max");
    const detail::schema_view types(type.types());
    const detail::json_document text(json, limit);
    std::vector<detail::json_document> known;
    if (!defaults.empty())
        known.emplace_back(to_json(type, defaults, limit, options), limit);
    std::vector<std::byte> message =
        detail::json_encoder(types, text, known.empty() ? nullptr : &known.front(), limit).encode();
    // What the text says of objects, and how much, is judged as it is for bytes of strangers.
    detail::schema_reader reader(types, message, limit, nullptr);
    reader.hide_offsets();
    reader.read();
    return message;
}

} // namespace wharf
