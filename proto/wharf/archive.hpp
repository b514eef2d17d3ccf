// The archive pair: any type with a Boost serialize() to the bytes of a message, and safely back.
#pragma once

#include <wharf/archive/bytes.hpp>
#include <wharf/archive/load_archive.hpp>
#include <wharf/archive/store_archive.hpp>
#include <wharf/archive_error.hpp>
