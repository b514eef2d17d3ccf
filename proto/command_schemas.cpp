// The schemas of a command's messages, and the bytes of its default argument.
#include <wharf/detail/command_schemas.hpp>

#include "default_object.hpp"
#include "recording.hpp"

#include <memory>

namespace wharf::detail {
namespace {

void store_default(const message_type& type, byte_buffer& to)
{
    try {
        const default_object object(*type.object);
        if (object.get() == nullptr)
            return;
        store_archive out(to);
        recording::store(out, *type.shape, object.get());
        out.flush();
    }
    catch (const std::exception&) { // then nothing has a default
        to.clear();
    }
}

const schema* find_or_null(const message_type* type)
{
    return type == nullptr ? nullptr : &find_schema(*type);
}

} // namespace

const schema& schema_of_nothing()
{
    static const schema made = [] {
        schema_type nothing;
        nothing.kind = schema_kind::nothing;
        return schema({nothing});
    }();
    return made;
}

const command_schemas& schemas_of(const command_types& types)
{
    const command_schemas* made = types.made.load(std::memory_order_acquire);
    if (made != nullptr)
        return *made;
    auto own = std::make_unique<command_schemas>();
    own->argument = &find_schema(*types.argument);
    own->reply = types.reply == nullptr ? &schema_of_nothing() : &find_schema(*types.reply);
    own->items = find_or_null(types.items);
    own->upload = find_or_null(types.upload);
    store_default(*types.argument, own->default_argument);
    if (types.made.compare_exchange_strong(made, own.get(), std::memory_order_acq_rel))
        made = own.release();
    return *made;
}

} // namespace wharf::detail
