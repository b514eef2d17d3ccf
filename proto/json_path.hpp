// Where a reader or writer that is guided by a schema stands: "order.items[3].price".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::detail {

class json_path {
public:
    /// A member; the name must live as long as the step.
    void push_name(std::string_view name) { parts_.push_back({name, 0, kind::name}); }
    /// A value of a map, by its key as it is in the message or text.
    void push_key(std::string_view key) { parts_.push_back({key, 0, kind::key}); }
    void push_index(std::uint64_t index) { parts_.push_back({{}, index, kind::index}); }
    void pop() { parts_.pop_back(); }
    /// At most 163 bytes, of which the outer ones give way to "..."; printable whatever a peer
    /// sent.
    std::string to_string() const;

private:
    enum class kind : std::uint8_t { name, key, index };
    struct part {
        std::string_view text;
        std::uint64_t index;
        kind how;
    };
    std::vector<part> parts_;
};

/// One step into a value, for as long as it lives.
class path_step {
public:
    path_step(json_path& path, std::string_view name) : path_(path) { path.push_name(name); }
    path_step(json_path& path, std::uint64_t index) : path_(path) { path.push_index(index); }
    path_step(const path_step&) = delete;
    path_step& operator=(const path_step&) = delete;
    ~path_step() { path_.pop(); }

private:
    json_path& path_;
};

/// Text of a peer, for an error: printable, and cut at `shown_max` bytes.
std::string to_printable(std::string_view text, std::size_t shown_max);

} // namespace wharf::detail
