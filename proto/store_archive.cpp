// What store_archive does rarely: growth, version tables, files.
#include <wharf/archive/store_archive.hpp>

#include <algorithm>
#include <bit>
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

struct store_state {
    message_file* file = nullptr;
    byte_buffer own;
    int uncaught = 0; ///< exceptions in flight when the archive was built
    std::vector<std::uint32_t>
        versions;                      ///< of the classes met, from the first on; empty: all are 0
    std::vector<unsigned> far_classes; ///< slots met that are not near, in order

    std::size_t classes_met(std::uint64_t seen) const
    {
        return static_cast<std::size_t>(std::popcount(seen)) + far_classes.size();
    }
    void note(std::size_t met_before, std::uint32_t version)
    {
        if (versions.empty()) {
            if (version == 0)
                return;
            versions.reserve(met_before + 1);
            versions.resize(met_before);
        }
        versions.push_back(version);
    }
};

void mark_state(const store_state& state, store_mark& mark) noexcept
{
    mark.versions = state.versions.size();
    mark.far_classes = state.far_classes.size();
}

store_state* note_version(store_state* state, std::uint64_t seen_before, std::uint32_t version)
{
    auto made = state == nullptr ? std::make_unique<store_state>() : nullptr;
    store_state& to = state != nullptr ? *state : *made;
    to.note(to.classes_met(seen_before), version);
    made.release();
    return &to;
}

store_state* note_far_class(store_state* state, std::uint64_t seen, unsigned slot,
                            std::uint32_t version)
{
    auto made = state == nullptr ? std::make_unique<store_state>() : nullptr;
    store_state& to = state != nullptr ? *state : *made;
    if (std::find(to.far_classes.begin(), to.far_classes.end(), slot) == to.far_classes.end()) {
        const std::size_t met = to.classes_met(seen);
        to.far_classes.push_back(slot);
        to.note(met, version);
    }
    made.release();
    return &to;
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

void store_archive::rewind(const detail::store_mark& mark, detail::store_state* state) noexcept
{
    state_ = state;
    seen_ = mark.seen;
    if (state_ != nullptr) {
        state_->versions.resize(std::min(state_->versions.size(), mark.versions));
        state_->far_classes.resize(mark.far_classes);
    }
    // The buffer may have moved.
    at_ = mark.bytes == 0 ? nullptr : out_->end() + mark.bytes;
    limit_ = mark.bytes == 0 ? nullptr : out_->limit();
}

void store_archive::discard() noexcept
{
    reset();
    if (state_ != nullptr) {
        state_->versions.clear();
        state_->far_classes.clear();
    }
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
