// What one call can be told: a plain value.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>

namespace wharf {

/// What one call can be told. An aggregate, written in place: `{.timeout = 2s}`.
struct call_options {
    /// How long the whole call may take: resolving, connecting, queueing, sending and waiting.
    /// Nothing: the default of who calls. What is left of it travels to who answers.
    std::optional<std::chrono::nanoseconds> timeout{};
    /// Where the text of an error goes, for tokens that give an error_code only. It must live until
    /// the call completes; it is not touched on success.
    std::string* diagnostics = nullptr;
};

// g++ 12 destroys an aggregate temporary twice when it stands inside a co_await expression:
// `{.timeout = 2s}` there is safe only because nothing is done on destruction.
static_assert(std::is_trivially_destructible_v<call_options>);

} // namespace wharf
