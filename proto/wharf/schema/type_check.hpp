// How a schema is checked: by objects of its type that are loaded and stored.
#pragma once

#include <wharf/archive.hpp>

#include <memory>

namespace wharf::detail {

/// The functions of a message's type; all null where it cannot be made or loaded.
struct type_check {
    std::shared_ptr<void> (*make)() = nullptr;
    void (*load)(load_archive& archive, void* value) = nullptr;
};

template <class T>
type_check check_of()
{
    if constexpr (std::is_default_constructible_v<T>)
        return {[] { return std::shared_ptr<void>(std::make_shared<T>()); },
                [](load_archive& archive, void* value) { archive >> *static_cast<T*>(value); }};
    else
        return {};
}

} // namespace wharf::detail
