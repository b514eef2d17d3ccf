// Sends records to journald by its native protocol; the only file that includes sd-journal.h.
#include "log_sink.hpp"

#include <algorithm>
#include <array>

#include <sys/uio.h>

#define SD_JOURNAL_SUPPRESS_LOCATION // the place in our sources says nothing to an operator
#include <systemd/sd-journal.h>

namespace wharf::log {

bool send_to_journal(const std::vector<std::string>& fields) noexcept
{
    std::array<iovec, fields_max + journal_fields_own> parts{};
    const std::size_t count = std::min(fields.size(), parts.size());
    for (std::size_t i = 0; i < count; ++i)
        parts[i] = {const_cast<char*>(fields[i].data()), fields[i].size()};
    return ::sd_journal_sendv(parts.data(), static_cast<int>(count)) >= 0;
}

} // namespace wharf::log
