// A store_archive that stores nothing: a recorder is told what serialize() visits.
#pragma once

#include <wharf/archive.hpp>

namespace wharf::detail {

/// One visit of one object. Distinct objects: safe. Shared objects: unsafe.
class recording {
public:
    explicit recording(visit_recorder& recorder)
        : state_(new store_state), archive_(store_archive::nested{}, state_, limits{})
    {
        state_->recorder = &recorder;
    }

    void visit(const class_shape& shape, const void* object, unsigned version)
    {
        shape.visit(archive_, object, version);
    }
    void visit_construct_data(const class_shape& shape, const void* object, unsigned version)
    {
        shape.save_construct(archive_, object, version);
    }
    /// Those of register_type() so far.
    const std::vector<const class_entry*>& registered() const noexcept
    {
        return state_->objects.named_classes();
    }

    /// Stores a value of which only the shape is known.
    static void store(store_archive& archive, const type_shape& shape, const void* value)
    {
        archive.put_outermost_by(shape, value, nullptr);
    }
    /// Did store_at() change the version of any class that was stored?
    static bool is_older(const store_archive& archive) noexcept
    {
        return archive.state_ != nullptr && archive.state_->is_older;
    }

private:
    store_state* state_; ///< the archive's
    store_archive archive_;
};

/// Is `base` a base class of `derived`, or it itself?
bool is_base_of(const std::type_info& base, const std::type_info& derived) noexcept;

} // namespace wharf::detail
