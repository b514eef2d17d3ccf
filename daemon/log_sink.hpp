// Where the log writes: a descriptor that tests can choose, and the journal.
#pragma once

#include "log_format.hpp"

#include <string>
#include <vector>

namespace wharf::log {

/// As start(), but writes to `fd`, which stays the caller's and must outlive stop().
void start(const options& how, int fd);

/// Sends one record to journald's socket. False when it does not take it.
bool send_to_journal(const std::vector<std::string>& fields) noexcept;

} // namespace wharf::log
