// The catalogue's journal: which objects the daemon has acknowledged, and what they held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catalogue {

/// Tells one value from another; FNV-1a of 64 bits.
inline std::uint64_t digest_of(std::span<const std::byte> bytes)
{
    std::uint64_t digest = 0xcbf29ce484222325;
    for (std::byte b : bytes)
        digest = (digest ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3;
    return digest;
}

struct journal_line {
    std::string key;
    std::uint64_t digest = 0;
};

/// Appends a line per acknowledged object. Each is handed to the system at once, so that it is
/// there when this program dies; it is the daemon's disk that is tested, not this one's.
class journal_writer {
public:
    /// Throws std::runtime_error where the file cannot be opened; an empty path writes nothing.
    explicit journal_writer(const std::string& path);
    void append(std::string_view key, std::uint64_t digest);

private:
    std::string path_;
    std::ofstream file_;
};

/// Reads a journal. Its last line may be cut off: that is not counted. Throws std::runtime_error
/// with the line's number for anything else.
std::vector<journal_line> read_journal(const std::string& path);

} // namespace catalogue
