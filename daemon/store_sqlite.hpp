// The embedded engine of the store: SQLite in WAL mode with synchronous=FULL.
#pragma once

#include "store_engine.hpp"

#include <memory>

namespace wharf {

/// Opens or creates the database of options.directory, claims the directory, and checks what it
/// finds. Throws error as the constructor of store says.
std::unique_ptr<store_engine> open_sqlite(const store_options& options);

} // namespace wharf
