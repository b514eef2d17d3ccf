// Messages stored again, at the versions that the peer knows.
#include <wharf/detail/step_down.hpp>

#include "class_list.hpp"
#include "default_object.hpp"
#include "frame.hpp"
#include "schema_builder.hpp"

#include <wharf/archive.hpp>
#include <wharf/detail/stream_channel.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

namespace wharf::detail {
namespace {

/// What this program stored itself is loaded whatever it costs.
limits own_limits() noexcept
{
    limits all;
    all.message_bytes_max = std::numeric_limits<std::size_t>::max();
    all.objects_max = all.chain_max = std::numeric_limits<std::uint32_t>::max();
    all.memory_base_bytes = all.memory_bytes_max = std::numeric_limits<std::ptrdiff_t>::max();
    all.memory_factor = 0;
    return all;
}

older_message store_again(const message_type* type, const older_versions& older,
                          std::span<const std::byte> message)
{
    older_message made;
    if (type == nullptr || type->load == nullptr) { // of nothing, or not to be loaded
        made.bytes.append(message);
        return made;
    }
    const default_object value(*type->object);
    load_archive in(message, own_limits());
    type->load(in, value.get());
    in.finish();
    store_archive out(made.bytes);
    out.store_at(older);
    recording::store(out, *type->shape, value.get());
    out.flush();
    made.is_older = recording::is_older(out);
    return made;
}

class older_items final : public item_translation {
public:
    older_items(const message_type* type, const older_versions& older) : type_(type), older_(older)
    {}
    bool is_of_incoming() const noexcept override { return false; }
    byte_buffer incoming(std::span<const std::byte> item) const override
    {
        byte_buffer same;
        same.append(item);
        return same;
    }
    byte_buffer outgoing(std::span<const std::byte> item) const override
    {
        return store_again(type_, older_, item).bytes;
    }

private:
    const message_type* type_;
    const older_versions older_;
};

/// Obstacles that were looked for; so many at most, as a peer chooses its versions, and what is
/// not looked for is found when it happens.
constexpr std::size_t obstacles_max = 256;

struct known_obstacles {
    std::mutex mutex;
    std::map<std::pair<const message_type*, class_versions>, std::string> all;
};

known_obstacles& obstacles()
{
    static known_obstacles& instance = *new known_obstacles;
    return instance;
}

/// Why the type cannot be stored at these versions, though it can be at its newest.
std::string find_obstacle(const message_type* type, const class_versions& versions)
{
    if (type == nullptr || versions.empty())
        return {};
    known_obstacles& known = obstacles();
    const std::pair key(type, versions);
    {
        const std::unique_lock held(known.mutex);
        if (const auto found = known.all.find(key); found != known.all.end())
            return found->second;
        if (known.all.size() >= obstacles_max)
            return {};
    }
    std::string why = find_flaw(*type, versions);
    if (!why.empty() && !find_flaw(*type, {}).empty())
        why.clear(); // then nothing can be said of it
    const std::unique_lock held(known.mutex);
    return known.all.try_emplace(key, std::move(why)).first->second;
}

} // namespace

struct step_down::state {
    explicit state(const command_types& of) : types(of) {}

    std::string describe_obstacle(const message_type* type) const;

    const command_types& types;
    older_versions older;
    class_versions versions;
    std::vector<std::pair<const class_shape*, std::uint32_t>> stepped;
    std::string obstacle_of_answers, obstacle_of_calls;
};

/// Names the classes that are the reason, and their versions at both ends.
std::string step_down::state::describe_obstacle(const message_type* type) const
{
    std::string why = find_obstacle(type, versions);
    if (why.empty())
        return why;
    for (const auto& [shape, version] : stepped) {
        const std::string alone = find_obstacle(type, {{shape->cell, version}});
        if (!alone.empty() || stepped.size() == 1)
            return boost::core::demangle(shape->type->name()) + ": the peer knows version " +
                   std::to_string(version) + ", this program has version " +
                   std::to_string(shape->version) + " and cannot store the older one: " + why;
    }
    return "the peer knows older versions of its classes, which cannot be stored together: " + why;
}

step_down::step_down(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}

step_down::~step_down() = default;

std::unique_ptr<const step_down> step_down::make(const command_types& ours,
                                                 std::span<const std::byte> theirs)
{
    auto made = std::make_unique<state>(ours);
    for (const listed_class& each : class_list_of(ours).classes) {
        const std::byte* at = find_class_version(theirs, each.id);
        if (at == nullptr) {
            // A base that it does not know either is of another program altogether.
            if (each.derived != nullptr && !theirs.empty())
                made->older.refuse(*each.derived);
            continue;
        }
        const auto version = load_le<std::uint32_t>(at);
        if (version >= each.shape->version)
            continue;
        made->older.set(*each.shape->cell, version);
        made->versions.emplace(each.shape->cell, version);
        made->stepped.emplace_back(each.shape, version);
    }
    if (made->older.empty())
        return nullptr;
    made->obstacle_of_answers = made->describe_obstacle(ours.reply);
    if (made->obstacle_of_answers.empty())
        made->obstacle_of_answers = made->describe_obstacle(ours.items);
    made->obstacle_of_calls = made->describe_obstacle(ours.argument);
    if (made->obstacle_of_calls.empty())
        made->obstacle_of_calls = made->describe_obstacle(ours.upload);
    return std::unique_ptr<const step_down>(new step_down(std::move(made)));
}

older_message step_down::store_argument(std::span<const std::byte> message) const
{
    older_message made = store_again(state_->types.argument, state_->older, message);
    if (made.is_older && !state_->obstacle_of_calls.empty())
        throw error(errc::newer_version, state_->obstacle_of_calls);
    return made;
}

older_message step_down::store_reply(std::span<const std::byte> message) const
{
    return store_again(state_->types.reply, state_->older, message);
}

std::shared_ptr<const item_translation> step_down::items() const
{
    return std::make_shared<older_items>(state_->types.items, state_->older);
}

std::shared_ptr<const item_translation> step_down::uploads() const
{
    return std::make_shared<older_items>(state_->types.upload, state_->older);
}

const std::string& step_down::obstacle_of_answers() const noexcept
{
    return state_->obstacle_of_answers;
}

const std::string& step_down::obstacle_of_calls() const noexcept
{
    return state_->obstacle_of_calls;
}

} // namespace wharf::detail
