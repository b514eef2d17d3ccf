// The layout of a frame and of the opening: what stands at which byte. proto/README.md says why.
#pragma once

#include <wharf/byte_buffer.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace wharf::detail {

/// The first bytes in each direction: six of magic, the kind of peer, the version.
inline constexpr std::size_t opening_bytes = 8;
inline constexpr unsigned char opening_magic[6] = {0x89, 'w', 'h', 'a', 'r', 'f'};
inline constexpr unsigned char opening_conversation = 'C';
inline constexpr unsigned char opening_archive_pair = 'A';

enum class frame_kind : std::uint8_t {
    hello = 1,
    declare = 2,
    call = 3,
    reply = 4,
    error = 5,
    ping = 6,
    pong = 7,
    goaway = 8,
    item = 9,
    upload = 10,
    window = 11,
    cancel = 12,
    versions = 13,
};

inline constexpr std::uint8_t flag_more = 1;    ///< the message continues in another frame
inline constexpr std::uint8_t flag_timeout = 2; ///< the payload begins with u32 milliseconds
inline constexpr std::uint8_t flag_last = 4;    ///< no item follows in this upload
inline constexpr std::uint8_t flag_upload = 8;  ///< the window of an upload, not of reply items

inline constexpr std::size_t frame_header_bytes = 16;
/// Every end accepts frames of this size, so that each control frame fits in one.
inline constexpr std::uint32_t frame_bytes_min = 2048;
inline constexpr std::size_t text_bytes_max = 1024;
inline constexpr std::size_t software_bytes_max = 127;

/// Records of a hello; others are features of later versions.
inline constexpr std::uint16_t record_software = 1;
inline constexpr std::uint16_t record_frame_bytes_max = 2;
inline constexpr std::uint16_t record_message_bytes_max = 3;
inline constexpr std::uint16_t record_windows = 4;
/// The least size of record 4; what a later version puts behind is ignored.
inline constexpr std::size_t record_windows_bytes = 12;
/// u32: the most classes of a command that this end takes, in the record and the frame below.
inline constexpr std::uint16_t record_class_versions = 5;
inline constexpr std::size_t record_class_versions_bytes = 4;

/// The record of a declare, and of a versions frame: the classes of a command.
inline constexpr std::uint16_t record_classes = 1;
/// u64 the class, u32 its version. Classes ascend.
inline constexpr std::size_t class_entry_bytes = 12;
/// So many that a declaration with the longest name fits in the least frame.
inline constexpr std::uint32_t classes_most = 128;
static_assert(1 + 127 + 4 + classes_most * class_entry_bytes <= frame_bytes_min);

struct frame_header {
    std::uint32_t length = 0; ///< of the payload, which follows
    frame_kind kind{};
    std::uint8_t flags = 0;
    std::uint16_t number = 0;
    std::uint64_t id = 0;
    bool operator==(const frame_header&) const = default;
};

/// Little-endian integers at any address. g++ 12 does not make one store of a loop over bytes.
template <class T>
T load_le(const std::byte* from) noexcept
{
    T value = 0;
    if constexpr (std::endian::native == std::endian::little)
        std::memcpy(&value, from, sizeof value);
    else
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value = static_cast<T>(value | static_cast<T>(static_cast<T>(from[i]) << (8 * i)));
    return value;
}

template <class T>
void store_le(std::byte* to, T value) noexcept
{
    if constexpr (std::endian::native == std::endian::little)
        std::memcpy(to, &value, sizeof value);
    else
        for (std::size_t i = 0; i < sizeof(T); ++i)
            to[i] = static_cast<std::byte>(value >> (8 * i));
}

inline frame_header load_header(const std::byte* from) noexcept
{
    frame_header header;
    header.length = load_le<std::uint32_t>(from);
    header.kind = static_cast<frame_kind>(from[4]);
    header.flags = static_cast<std::uint8_t>(from[5]);
    header.number = load_le<std::uint16_t>(from + 6);
    header.id = load_le<std::uint64_t>(from + 8);
    return header;
}

inline void store_header(std::byte* to, const frame_header& header) noexcept
{
    store_le(to, header.length);
    to[4] = static_cast<std::byte>(header.kind);
    to[5] = static_cast<std::byte>(header.flags);
    store_le(to + 6, header.number);
    store_le(to + 8, header.id);
}

/// What is wrong with a header in itself, whatever came before; nullptr when nothing is.
const char* find_fault(const frame_header& header) noexcept;

/// Walks the records of a hello or declare payload.
class record_reader {
public:
    explicit record_reader(std::span<const std::byte> payload) noexcept : rest_(payload) {}

    struct record {
        std::uint16_t type = 0;
        std::span<const std::byte> value;
    };
    /// The next record; nothing at the end, and where one is truncated.
    std::optional<record> next() noexcept;
    bool is_truncated() const noexcept { return truncated_; }

private:
    std::span<const std::byte> rest_;
    bool truncated_ = false;
};

inline constexpr std::size_t record_head_bytes = 4;
/// Writes one record, where there is room for it.
void store_record(std::byte* to, std::uint16_t type, std::span<const std::byte> value) noexcept;
/// Appends one record.
void append_record(byte_buffer& to, std::uint16_t type, std::span<const std::byte> value);

/// May this be the value of record_classes?
bool is_class_list(std::span<const std::byte> value) noexcept;

/// May a command have this name on the wire: 1 to 127 bytes of printable ASCII, no spaces?
bool is_command_name(std::span<const std::byte> name) noexcept;

} // namespace wharf::detail
