// Allocations that fail when a test says so: those of operator new and, for programs that are
// linked with --wrap=realloc, those of byte_buffer.
#pragma once

namespace wharf::test {

/// While it lives, the allocation after `successes` others fails; those behind it do not.
/// One at a time, in one thread.
class failing_allocations {
public:
    explicit failing_allocations(long successes) noexcept;
    ~failing_allocations();
    failing_allocations(const failing_allocations&) = delete;
    failing_allocations& operator=(const failing_allocations&) = delete;

    /// Has the allocation failed?
    static bool has_failed() noexcept;

    /// What a test allocates itself does not count: only what happens inside of this does.
    struct scope {
        scope() noexcept;
        ~scope();
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
    };
};

} // namespace wharf::test
