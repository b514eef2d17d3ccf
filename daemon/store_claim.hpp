// The claim of one daemon on its state directory: a lock that ends with the process.
#pragma once

#include <string>

namespace wharf {

/// Holds `directory` for this process until it is destroyed. The kernel drops the claim of a
/// process that is killed, so that nothing stale is ever left to clean up.
class store_claim {
public:
    /// Throws error: store_failed for a missing directory, access_denied for one that cannot be
    /// written, store_busy naming the process that holds it, store_full.
    explicit store_claim(const std::string& directory);
    ~store_claim();
    store_claim(const store_claim&) = delete;
    store_claim& operator=(const store_claim&) = delete;

private:
    int fd_ = -1;
};

} // namespace wharf
