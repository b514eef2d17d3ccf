// Large raw bytes inside of a command, a reply or an item, which the archive does not copy twice.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf {

/// Bytes that never change, shared by all copies of it. It travels as a std::vector<std::byte>
/// does, and can take the place of one.
///
/// A store copies the bytes once, into the message. A load copies none where they are at least half
/// of a message of several frames: then the attachment keeps the memory of the whole message, for
/// which the decoder charges nothing, as it allocates nothing. It counts as memory of its call
/// until that is answered. An attachment that a handler keeps for longer is the handler's own
/// memory, as all else that it keeps.
///
/// A value; distinct objects are safe in different threads, also those that share their bytes.
class attachment {
public:
    attachment() noexcept = default;
    /// Takes them over.
    attachment(std::vector<std::byte>&& bytes) { adopt(std::move(bytes)); }
    attachment(std::string&& text) { adopt(std::move(text)); }
    /// `owner` keeps them in memory, where they stay as they are.
    attachment(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) noexcept
        : owner_(std::move(owner)), bytes_(bytes)
    {}
    attachment(const attachment&) = default;
    attachment(attachment&& other) noexcept
        : owner_(std::move(other.owner_)), bytes_(std::exchange(other.bytes_, {}))
    {}
    attachment& operator=(const attachment&) = default;
    attachment& operator=(attachment&& other) noexcept
    {
        owner_ = std::move(other.owner_);
        bytes_ = std::exchange(other.bytes_, {});
        return *this;
    }
    ~attachment() = default;

    /// A copy of these.
    static attachment copy_of(std::span<const std::byte> bytes);

    /// Valid as long as this or a copy of it.
    std::span<const std::byte> view() const noexcept { return bytes_; }
    const std::byte* data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return bytes_.size(); }
    bool empty() const noexcept { return bytes_.empty(); }
    /// The same bytes as text.
    std::string_view text() const noexcept
    {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }

    /// Are the bytes equal?
    friend bool operator==(const attachment& a, const attachment& b) noexcept
    {
        return a.text() == b.text();
    }

    /// For archives other than Wharf's: as a string.
    template <class Archive>
    void serialize(Archive& archive, unsigned)
    {
        std::string bytes;
        if constexpr (Archive::is_saving::value)
            bytes = text();
        archive& bytes;
        if constexpr (Archive::is_loading::value)
            *this = attachment(std::move(bytes));
    }

private:
    template <class Bytes>
    void adopt(Bytes&& bytes)
    {
        if (bytes.empty())
            return;
        auto kept = std::make_shared<const Bytes>(std::move(bytes));
        bytes_ = std::as_bytes(std::span(*kept));
        owner_ = std::move(kept);
    }

    std::shared_ptr<const void> owner_;
    std::span<const std::byte> bytes_;
};

} // namespace wharf
