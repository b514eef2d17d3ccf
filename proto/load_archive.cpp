// What load_archive does rarely: preludes, version tables, files.
#include <wharf/archive/load_archive.hpp>

#include <boost/core/demangle.hpp>

#include <string>

namespace wharf {
namespace detail {

unsigned table_version(load_state& state, class_cell& cell, unsigned known,
                       const std::type_info& type, std::size_t offset)
{
    const unsigned slot = class_slot(cell);
    if (slot >= state.by_slot.size())
        state.by_slot.resize(slot + 1, load_state::not_met);
    std::uint32_t& version = state.by_slot[slot];
    if (version == load_state::not_met) {
        if (state.used == state.table.size())
            fail_at(errc::not_canonical, offset, "the table has no version for this class");
        const std::uint32_t given = state.table[state.used];
        if (given > known)
            fail_at(errc::newer_version, offset,
                    ("class " + boost::core::demangle(type.name()) + " has version " +
                     std::to_string(given) + ", this program knows " + std::to_string(known))
                        .c_str());
        ++state.used;
        version = given;
    }
    return version;
}

} // namespace detail

load_archive::load_archive(message_file& file, const limits& limit)
    : state_(new detail::load_state{.file = &file, .limit = limit}),
      objects_max_(limit.objects_max),
      chain_max_(limit.chain_max)
{}

void load_archive::close() noexcept
{
    delete state_;
}

bool load_archive::is_over_file() const noexcept
{
    return state_ != nullptr && state_->file != nullptr;
}

void load_archive::drop_message() noexcept
{
    static_cast<byte_reader&>(*this) = byte_reader();
    phase_ = phase::closed;
    has_table_ = false;
    drop_objects();
}

detail::load_state& load_archive::make_state()
{
    if (state_ == nullptr)
        state_ = new detail::load_state;
    return *state_;
}

void load_archive::drop_objects() noexcept
{
    if (state_ != nullptr) {
        state_->objects.clear();
        state_->helpers.clear();
    }
}

void load_archive::release_objects() noexcept
{
    state_->objects.end_value();
}

/// `own` is the class of the pointer itself, null where that is abstract.
const detail::class_entry& load_archive::get_class_entry(const detail::class_entry* own)
{
    detail::load_objects& objects = state_->objects;
    const std::uint64_t place = get_varint();
    if (place != 0) {
        const detail::class_entry* entry = objects.named(place - 1);
        if (entry == nullptr)
            detail::fail_at(errc::bad_class, offset(), "the message names no class of this number");
        return *entry;
    }
    const std::size_t size = get_count(1);
    if (size > detail::class_key_bytes_max)
        detail::fail_at(errc::bad_class, offset(), "an export key is longer than 127 bytes");
    const std::string_view key(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    const detail::class_entry* entry = size == 0 ? own : detail::find_class(key);
    if (entry == nullptr)
        detail::fail_at(errc::bad_class, offset(),
                        size == 0 ? "an abstract class" : "no class has this export key here");
    if (size == 0 && entry->key() != nullptr)
        detail::fail_at(errc::not_canonical, offset(), "a class goes by its export key");
    if (const std::string conflict = detail::key_conflict(key); !conflict.empty())
        detail::fail_at(errc::bad_class, offset(), conflict.c_str());
    if (!objects.name_class(*entry))
        detail::fail_at(errc::not_canonical, offset(), "the message named this class before");
    return *entry;
}

/// In a handler only: what a value that failed leaves behind.
void load_archive::fail_outermost(detail::load_state* state, std::size_t offset)
{
    phase_ = phase::failed;
    state_ = state;
    drop_objects();
    detail::rethrow_at(offset);
}

void load_archive::get_outermost_by(void (*get_value)(load_archive& inner, void* value),
                                    void* value)
{
    open_for_value();
    load_archive inner(nested{}, *this);
    try {
        get_value(inner, value);
    }
    catch (...) {
        fail_outermost(inner.state_, inner.offset());
    }
    at_ = inner.at_;
    budget_ = inner.budget_;
    state_ = inner.state_;
    if (state_ != nullptr)
        release_objects();
}

void load_archive::open_rare()
{
    if (is_over_file()) {
        if (phase_ == phase::open)
            finish_versions();
        drop_message();
        const auto message = state_->file->receive_message();
        static_cast<byte_reader&>(*this) =
            byte_reader(message, detail::memory_budget(state_->limit, message.size()));
        depth_ = state_->limit.depth_max;
        if (message.size() > state_->limit.message_bytes_max)
            phase_ = phase::oversize;
    }
    else if (phase_ == phase::open)
        return;
    else if (phase_ == phase::failed)
        detail::fail_at(errc::truncated, offset(), "an earlier load of this message failed");
    const bool is_oversize = phase_ == phase::oversize;
    phase_ = phase::failed;
    if (is_oversize)
        detail::fail_at(errc::message_limit, 0);
    open_prelude();
    phase_ = phase::open;
}

void load_archive::open_prelude()
{
    need(1);
    const auto prelude = static_cast<unsigned>(*at_);
    if (prelude > 1)
        fail(errc::bad_prelude);
    ++at_;
    has_table_ = prelude == 1;
    if (!has_table_)
        return;
    const std::size_t count = get_charged_count(1, sizeof(std::uint32_t));
    if (state_ == nullptr)
        state_ = new detail::load_state;
    state_->used = 0;
    state_->by_slot.clear();
    state_->table.resize(count);
    bool is_needed = false;
    for (std::uint32_t& version : state_->table) {
        const std::uint64_t number = get_varint();
        if (number >= detail::load_state::not_met)
            fail(errc::bad_value);
        version = static_cast<std::uint32_t>(number);
        is_needed |= number != 0;
    }
    if (!is_needed)
        fail(errc::not_canonical);
}

void load_archive::finish_versions() const
{
    if (has_table_ && state_->used != state_->table.size())
        detail::fail_at(errc::not_canonical, offset(),
                        "the table has versions of classes that do not occur");
}

void load_archive::finish_rare()
{
    struct drop_at_exit {
        load_archive* archive;
        ~drop_at_exit()
        {
            if (archive != nullptr)
                archive->drop_message();
        }
    };
    const bool is_file = is_over_file();
    if (is_file && phase_ != phase::open)
        return drop_message();
    if (phase_ != phase::open)
        open_rare();
    const drop_at_exit drops{is_file ? this : nullptr};
    if (at_ != end_)
        fail(errc::trailing_data);
    finish_versions();
    drop_objects();
}

bool load_archive::is_buffer_empty() const
{
    if (at_ != end_ && phase_ != phase::failed && phase_ != phase::oversize)
        return false;
    return !is_over_file() || !state_->file->has_message();
}

} // namespace wharf
