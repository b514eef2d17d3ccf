// What load_archive does rarely: preludes, version tables, files.
#include <wharf/archive/load_archive.hpp>

#include <boost/core/demangle.hpp>

#include <limits>
#include <string>
#include <vector>

namespace wharf {
namespace detail {

struct load_state {
    message_file* file = nullptr;
    limits limit;
    std::vector<std::uint32_t> table{}; ///< versions in order of the first visits
    std::size_t used = 0;
    static constexpr std::uint32_t not_met = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> by_slot{};
};

unsigned table_version(load_state& state, unsigned slot, unsigned known, const std::type_info& type,
                       std::size_t offset)
{
    if (slot >= state.by_slot.size())
        state.by_slot.resize(slot + 1, load_state::not_met);
    std::uint32_t& version = state.by_slot[slot];
    if (version == load_state::not_met) {
        if (state.used == state.table.size())
            fail_at(errc::not_canonical, offset, "the table has no version for this class");
        const std::uint32_t given = state.table[state.used];
        if (given > known)
            throw error(errc::newer_version, "at byte " + std::to_string(offset) + ": class " +
                                                 boost::core::demangle(type.name()) +
                                                 " has version " + std::to_string(given) +
                                                 ", this program knows " + std::to_string(known));
        ++state.used;
        version = given;
    }
    return version;
}

} // namespace detail

load_archive::load_archive(message_file& file, const limits& limit)
    : state_(new detail::load_state{.file = &file, .limit = limit})
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

void load_archive::finish()
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
}

bool load_archive::is_buffer_empty() const
{
    if (at_ != end_ && phase_ != phase::failed && phase_ != phase::oversize)
        return false;
    return !is_over_file() || !state_->file->has_message();
}

} // namespace wharf
