// The built-in service of durable objects: the commands of <wharf/objects.hpp> on a store.
#pragma once

#include <wharf/limits.hpp>
#include <wharf/service.hpp>
#include <wharf/store.hpp>

#include <cstddef>

namespace wharf {

/// Answers objects.put, get, cas, erase, list, watch, define and schema. The store must outlive the
/// router's calls.
class objects_service {
public:
    /// A get must fit into a message as its put did: what both need beside the value.
    static constexpr std::size_t message_overhead_bytes = objects::key_bytes_max + 64;

    /// `message_bytes_max` is that of the server: it bounds a value.
    explicit objects_service(
        store& where, std::size_t message_bytes_max = conversation_limits{}.message_bytes_max);

    void serve(router& commands);

private:
    store* store_;
    std::size_t value_bytes_max_;
};

} // namespace wharf
