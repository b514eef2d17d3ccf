// Commands without a serialize(): a plain struct travels member by member.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

enum part_kind { screw, nut, washer };

struct part {
    std::string number;
    part_kind kind = screw;
    std::uint32_t in_stock = 0;
};

struct find_parts {
    using reply = std::vector<part>;
    static constexpr std::string_view name = "stock.find_parts";
    std::string pattern;
    std::uint32_t limit = 100;
};
