// Catalogues as JSON: read by a schema, like any other message.
#include <wharf/schema_catalogue.hpp>

#include <wharf/archive.hpp>
#include <wharf/error.hpp>
#include <wharf/json.hpp>
#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/serialization/nvp.hpp>

#include <algorithm>
#include <memory>

namespace wharf {
namespace {

namespace json = boost::json;

constexpr std::uint32_t format = 1;

/// A type in the file. `text` is for people.
struct type_in_file {
    std::string text;
    std::string fingerprint;
    std::vector<schema_type> types;
    std::vector<older_class> older;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(text) & BOOST_SERIALIZATION_NVP(fingerprint);
        ar& BOOST_SERIALIZATION_NVP(types) & BOOST_SERIALIZATION_NVP(older);
    }
};

struct command_in_file {
    std::string command;
    type_in_file argument, reply;
    std::optional<type_in_file> items, upload;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(command) & BOOST_SERIALIZATION_NVP(argument);
        ar& BOOST_SERIALIZATION_NVP(reply) & BOOST_SERIALIZATION_NVP(items);
        ar& BOOST_SERIALIZATION_NVP(upload);
    }
};

struct object_in_file {
    std::string name;
    type_in_file type;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(type);
    }
};

struct catalogue_in_file {
    std::uint32_t wharf_schemas = 0;
    std::vector<command_in_file> commands;
    std::vector<object_in_file> objects;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(wharf_schemas) & BOOST_SERIALIZATION_NVP(commands);
        ar& BOOST_SERIALIZATION_NVP(objects);
    }
};

type_in_file to_file(const schema_history& from)
{
    return {from.types.to_line(), objects::fingerprint_text(from.types.fingerprint()),
            from.types.types(), from.older};
}

schema_history from_file(type_in_file from, const std::string& of)
{
    schema_history made{schema(std::move(from.types)), std::move(from.older)};
    if (!made.is_valid())
        throw error(errc::bad_value, of + ": this is no schema");
    // A file that somebody edited, or merged, says something that no program ever had.
    const std::string known = objects::fingerprint_text(made.types.fingerprint());
    if (!from.fingerprint.empty() && from.fingerprint != known)
        throw error(errc::bad_value, of + ": its fingerprint is " + known + ", and the file says " +
                                         from.fingerprint + ": export it again");
    return made;
}

/// What is missing in a file has these values: only a name needs to be there.
bool is_left_out(std::string_view key, const json::value& value)
{
    if (key == "kind" || key == "type" || key == "value" || key == "version" || key == "layout")
        return false;
    return value.is_null() || (value.is_bool() && !value.get_bool()) ||
           (value.is_int64() && value.get_int64() == 0) ||
           (value.is_uint64() && value.get_uint64() == 0) ||
           (value.is_string() && value.get_string().empty()) ||
           (value.is_array() && value.get_array().empty());
}

json::value shorten(const json::value& from)
{
    if (const auto* array = from.if_array()) {
        json::array out;
        for (const json::value& each : *array)
            out.push_back(shorten(each));
        return out;
    }
    const auto* object = from.if_object();
    if (object == nullptr)
        return from;
    json::object out;
    const bool is_type = object->contains("kind");
    for (const auto& [key, value] : *object)
        if (!is_left_out(key, value) && !(is_type && key == "version" && value == 0))
            out.emplace(key, shorten(value));
    return out;
}

void put_list(std::string& to, const char* key, const json::object& in, const char* indent)
{
    const auto* list = in.if_contains(key);
    if (list == nullptr || list->get_array().empty())
        return;
    to += std::string(",\n") + indent + " \"" + key + "\": [";
    const char* between = "\n";
    for (const json::value& each : list->get_array()) {
        to += between + std::string(indent) + "  " + json::serialize(each);
        between = ",\n";
    }
    to += "]";
}

void put_type(std::string& to, const char* key, const json::value& in)
{
    const json::object& type = in.get_object();
    const auto text = [&](const char* name) {
        const auto* value = type.if_contains(name);
        return value == nullptr ? std::string("\"\"") : json::serialize(*value);
    };
    to += std::string(",\n  \"") + key + "\": {\"text\": " + text("text") +
          ",\n   \"fingerprint\": " + text("fingerprint");
    put_list(to, "types", type, "  ");
    put_list(to, "older", type, "  ");
    to += "}";
}

void put_entries(std::string& to, const json::object& file, const char* list, const char* name)
{
    to += std::string(",\n\"") + list + "\": [";
    const char* between = "\n";
    if (const auto* entries = file.if_contains(list))
        for (const json::value& each : entries->get_array()) {
            const json::object& entry = each.get_object();
            const auto* is = entry.if_contains(name);
            to += std::string(between) + " {\"" + name +
                  "\": " + (is == nullptr ? "\"\"" : json::serialize(*is));
            for (const char* role : {"argument", "reply", "items", "upload", "type"})
                if (const auto* type = entry.if_contains(role))
                    put_type(to, role, *type);
            to += "}";
            between = ",\n";
        }
    to += "]";
}

} // namespace

command_history make_history(const system::description& from)
{
    command_history made{from.command, {from.argument, {}}, {from.reply, {}}, {}, {}};
    if (!from.items.empty())
        made.items = schema_history{from.items.front(), {}};
    if (!from.upload.empty())
        made.upload = schema_history{from.upload.front(), {}};
    for (const system::role_history& each : from.histories) {
        if (each.role == "argument")
            made.argument = each.types;
        else if (each.role == "reply")
            made.reply = each.types;
        else if (each.role == "items")
            made.items = each.types;
        else if (each.role == "upload")
            made.upload = each.types;
    }
    return made;
}

std::string to_json(const schema_catalogue& catalogue)
{
    catalogue_in_file file{format, {}, {}};
    for (const command_history& each : catalogue.commands) {
        command_in_file& made = file.commands.emplace_back(
            command_in_file{each.command, to_file(each.argument), to_file(each.reply), {}, {}});
        if (each.items)
            made.items = to_file(*each.items);
        if (each.upload)
            made.upload = to_file(*each.upload);
    }
    for (const stored_history& each : catalogue.objects)
        file.objects.push_back({each.name, to_file(each.type)});
    std::sort(
        file.commands.begin(), file.commands.end(),
        [](const command_in_file& a, const command_in_file& b) { return a.command < b.command; });
    std::sort(file.objects.begin(), file.objects.end(), [](const auto& a, const auto& b) {
        return std::tie(a.name, a.type.fingerprint) < std::tie(b.name, b.type.fingerprint);
    });
    const json::value all =
        shorten(json::parse(to_json(schema_of<catalogue_in_file>(), to_bytes(file))));
    std::string text = "{\"wharf_schemas\": " + std::to_string(format);
    put_entries(text, all.get_object(), "commands", "command");
    put_entries(text, all.get_object(), "objects", "name");
    return text + "}\n";
}

schema_catalogue catalogue_from_json(std::string_view text)
{
    json_options options;
    options.json_bytes_max = catalogue_bytes_max;
    limits limit;
    const std::vector<std::byte> message =
        from_json(schema_of<catalogue_in_file>(), text, limit, options);
    auto file = from_bytes<catalogue_in_file>(std::span<const std::byte>(message), limit);
    if (file.wharf_schemas != format)
        throw error(errc::bad_value, "this is no file of schemas in format " +
                                         std::to_string(format) + ": \"wharf_schemas\" is " +
                                         std::to_string(file.wharf_schemas));
    schema_catalogue made;
    for (command_in_file& each : file.commands) {
        command_history& to = made.commands.emplace_back();
        to.command = each.command;
        to.argument = from_file(std::move(each.argument), each.command + " argument");
        to.reply = from_file(std::move(each.reply), each.command + " reply");
        if (each.items)
            to.items = from_file(std::move(*each.items), each.command + " items");
        if (each.upload)
            to.upload = from_file(std::move(*each.upload), each.command + " upload");
    }
    for (object_in_file& each : file.objects)
        made.objects.push_back({each.name, from_file(std::move(each.type), "type " + each.name)});
    return made;
}

} // namespace wharf
