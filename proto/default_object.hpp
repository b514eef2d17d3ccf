// An object of a type that only its functions know.
#pragma once

#include <wharf/archive/type_shape.hpp>

#include <new>

namespace wharf::detail {

/// Throws what the object's constructor throws. Distinct objects: safe.
class default_object {
public:
    explicit default_object(const object_functions& of) : of_(of)
    {
        if (of.construct == nullptr)
            return;
        void* memory = ::operator new(of.size, std::align_val_t(of.alignment));
        try {
            of.construct(memory);
        }
        catch (...) {
            release(memory);
            throw;
        }
        object_ = memory;
    }
    default_object(const default_object&) = delete;
    default_object& operator=(const default_object&) = delete;
    ~default_object()
    {
        if (object_ == nullptr)
            return;
        of_.destroy(object_);
        release(object_);
    }

    /// Null where such an object cannot be made.
    void* get() const noexcept { return object_; }

private:
    void release(void* memory) const noexcept
    {
        ::operator delete(memory, std::align_val_t(of_.alignment));
    }

    const object_functions& of_;
    void* object_ = nullptr;
};

} // namespace wharf::detail
