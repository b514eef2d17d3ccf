// What store_archive does rarely: growth, version tables, files.
#include <wharf/archive/store_archive.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <vector>

namespace wharf {
namespace detail {

std::byte* grow_message(byte_buffer& out, std::byte* at, std::size_t n)
{
    const std::size_t complete = out.size();
    if (at == nullptr) {
        std::byte* begin = out.reserve_more(n + 1);
        *begin = std::byte{0};
        return begin + 1;
    }
    const auto used = static_cast<std::size_t>(at - out.end());
    out.reserve_more(used + n);
    return out.data() + complete + used;
}

void mark_state(const store_state& state, store_mark& mark) noexcept
{
    mark.versions = state.versions.size();
    mark.far_classes = state.far_classes.size();
    mark.objects = state.objects.get_mark();
}

classes_met note_class(classes_met met, class_cell& cell, std::uint32_t version)
{
    const unsigned slot = class_slot(cell);
    // The bit of a class that is stored at an older version stays free, so that each visit of it
    // comes here.
    const bool is_older = met.state != nullptr && met.state->older != nullptr &&
                          met.state->older->find(cell, version) != version;
    const bool is_near = slot < near_slots && !is_older;
    const std::uint64_t bit = is_near ? std::uint64_t{1} << slot : 0;
    if (is_near && ((met.seen & bit) != 0 || (met.state == nullptr && version == 0)))
        return {met.state, met.seen | bit};
    auto made = met.state == nullptr ? std::make_unique<store_state>() : nullptr;
    store_state& to = made == nullptr ? *met.state : *made;
    to.is_older |= is_older;
    auto& far = to.far_classes;
    if (is_near || std::find(far.begin(), far.end(), slot) == far.end()) {
        const std::size_t met_before = to.classes_met(met.seen);
        if (!is_near)
            far.push_back(slot);
        to.note(met_before, is_older ? to.older->find(cell, version) : version);
    }
    made.release();
    return {&to, met.seen | bit};
}

void check_conflict(const store_state& state, const class_cell& of, const void* object,
                    const std::type_info& type, std::size_t offset)
{
    if ((state.pointees & store_state::pointee_bit(of)) != 0 &&
        state.objects.has_pointee(object, type))
        fail_at(errc::pointer_conflict, offset,
                (boost::core::demangle(type.name()) +
                 " was stored through a pointer before, and is stored by value now")
                    .c_str());
}

void fail_unregistered(const std::type_info& object, const std::type_info& pointer,
                       std::size_t offset)
{
    fail_at(errc::unregistered_class, offset,
            ("a " + boost::core::demangle(object.name()) + " behind a pointer to " +
             boost::core::demangle(pointer.name()) +
             ": BOOST_CLASS_EXPORT it where <wharf/archive.hpp> is included, or register_type() it")
                .c_str());
}

} // namespace detail

namespace {
detail::store_state* make_store_state(message_file& file)
{
    auto* state = new detail::store_state;
    state->file = &file;
    state->uncaught = std::uncaught_exceptions();
    return state;
}
} // namespace

store_archive::store_archive(message_file& file, const limits& limit)
    : store_archive(nested{}, make_store_state(file), limit)
{}

store_archive::store_archive(nested, detail::store_state* state, const limits& limit) noexcept
    : byte_writer(state->own), state_(state), depth_(limit.depth_max)
{}

void store_archive::rewind(std::size_t bytes, const detail::store_mark& mark,
                           detail::store_state* state) noexcept
{
    state_ = state;
    if (state_ != nullptr) {
        state_->versions.resize(std::min(state_->versions.size(), mark.versions));
        state_->far_classes.resize(mark.far_classes);
        state_->objects.rewind(mark.objects);
    }
    // The buffer may have moved.
    at_ = out_->end() + bytes;
    limit_ = out_->limit();
}

bool store_archive::record(const detail::type_shape& shape, const void* value, const char* name)
{
    if (state_ == nullptr || state_->recorder == nullptr)
        return false;
    state_->recorder->record(shape, value, name);
    return true;
}

bool store_archive::begin_message(const detail::type_shape& shape, const void* value,
                                  const char* name)
{
    if (record(shape, value, name))
        return false;
    at_ = detail::grow_message(*out_, nullptr, 0);
    limit_ = out_->limit();
    return true;
}

void store_archive::put_outermost_bytes(const void* bytes, std::size_t n)
{
    if (state_ != nullptr && state_->recorder != nullptr)
        state_->recorder->record_bytes(n);
    else
        put_bytes(bytes, n);
}

void store_archive::put_outermost_by(const detail::type_shape& shape, const void* value,
                                     const char* name)
{
    if (at_ == nullptr && !begin_message(shape, value, name))
        return;
    store_archive inner(nested{}, *this);
    const std::size_t bytes = stored_bytes();
    detail::store_mark mark{};
    if (state_ != nullptr)
        detail::mark_state(*state_, mark);
    try {
        detail::name_guard in{inner.at_, name};
        in.is_done = name == nullptr;
        shape.put(inner, value);
        in.is_done = true;
    }
    catch (...) {
        rewind(bytes, mark, inner.state_);
        detail::rethrow_stored();
    }
    at_ = inner.at_;
    limit_ = inner.limit_;
    seen_ = inner.seen_;
    state_ = inner.state_;
    if (state_ != nullptr)
        state_->objects.begin_value();
}

void store_archive::store_at(const older_versions& versions)
{
    make_state().older = &versions;
}

void store_archive::discard() noexcept
{
    reset();
    if (state_ != nullptr) {
        state_->versions.clear();
        state_->far_classes.clear();
        state_->objects.clear();
        state_->pointees = 0;
        state_->helpers.clear();
    }
}

detail::store_state& store_archive::make_state()
{
    if (state_ == nullptr)
        state_ = new detail::store_state;
    return *state_;
}

void store_archive::put_reference(std::uint32_t number, detail::ownership kind, bool is_weak)
{
    using detail::ownership;
    detail::store_objects& objects = state_->objects;
    const auto& object = objects[number];
    if (object.kind != kind)
        detail::fail_at(errc::pointer_conflict, stored_bytes(),
                        "pointers that do not share ownership point to one object");
    if (kind == ownership::unique)
        detail::fail_at(errc::pointer_conflict, stored_bytes(),
                        "two pointers that own alone point to one object");
    if (kind == ownership::aliased && !objects.is_of_this_value(number))
        detail::fail_at(errc::pointer_conflict, stored_bytes(),
                        "a raw pointer points to an object of an earlier value");
    if (kind != ownership::aliased && !is_weak && !object.is_complete)
        detail::fail_at(errc::ownership_cycle, stored_bytes(),
                        "the object is being stored; if it was met here by a weak_ptr, store what "
                        "owns it before");
    put_varint(std::uint64_t{number} + 2);
}

void store_archive::put_class_name(const detail::class_entry& entry,
                                   const std::type_info& pointer_type)
{
    const auto [place, is_first] = state_->objects.name_class(entry);
    if (!is_first) {
        put_varint(std::uint64_t{place} + 1);
        return;
    }
    const char* key = entry.key();
    if (key == nullptr && *entry.type != pointer_type)
        detail::fail_unregistered(*entry.type, pointer_type, stored_bytes());
    const std::string_view name = key == nullptr ? "" : key;
    if (name.size() > detail::class_key_bytes_max)
        detail::fail_at(errc::unregistered_class, stored_bytes(),
                        "an export key is longer than 127 bytes");
    if (const std::string conflict = detail::key_conflict(name); !conflict.empty())
        detail::fail_at(errc::unregistered_class, stored_bytes(), conflict.c_str());
    if (state_->older != nullptr && state_->older->refuses(entry)) [[unlikely]]
        detail::fail_at(errc::unregistered_class, stored_bytes(),
                        ("the peer does not know the class \"" + std::string(name) + "\"").c_str());
    put_varint(0);
    put_varint(name.size());
    put_bytes(name.data(), name.size());
}

void store_archive::flush_state()
{
    if (!is_stored())
        return;
    struct discard_at_exit {
        store_archive& archive;
        ~discard_at_exit() { archive.discard(); }
    } discards{*this};
    const auto& versions = state_->versions;
    if (!versions.empty()) {
        // The table goes behind the prelude; the body makes room.
        byte_buffer table;
        const std::size_t bytes_max = (versions.size() + 1) * detail::varint_bytes_max;
        std::byte* to = detail::put_long_varint(table.reserve_more(bytes_max), versions.size());
        for (const std::uint32_t version : versions)
            to = detail::put_long_varint(to, version);
        table.set_end(to);
        ensure(table.size());
        std::byte* prelude = out_->end();
        std::memmove(prelude + 1 + table.size(), prelude + 1,
                     static_cast<std::size_t>(at_ - prelude) - 1);
        *prelude = std::byte{1};
        std::memcpy(prelude + 1, table.data(), table.size());
        at_ += table.size();
    }
    if (state_->file == nullptr)
        out_->set_end(at_);
    else {
        const std::byte* message = out_->end();
        state_->file->send_message({message, at_});
    }
}

void store_archive::close() noexcept
{
    const std::unique_ptr<detail::store_state> state(state_);
    if (state->file != nullptr && std::uncaught_exceptions() <= state->uncaught) {
        try {
            flush();
        }
        catch (...) {
            // A destructor has nobody to tell; whoever must know calls flush().
        }
    }
}

} // namespace wharf
