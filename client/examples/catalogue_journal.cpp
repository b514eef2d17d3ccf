// The catalogue's journal: "DIGEST KEY" lines in a file.
#include "catalogue_journal.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace catalogue {

journal_writer::journal_writer(const std::string& path) : path_(path)
{
    if (path.empty())
        return;
    file_.open(path, std::ios::app | std::ios::binary);
    if (!file_)
        throw std::runtime_error("cannot write " + path);
}

void journal_writer::append(std::string_view key, std::uint64_t digest)
{
    if (path_.empty())
        return;
    char text[24];
    std::snprintf(text, sizeof text, "%016llx ", static_cast<unsigned long long>(digest));
    if (!(file_ << text << key << '\n' << std::flush))
        throw std::runtime_error("cannot write " + path_);
}

std::vector<journal_line> read_journal(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("cannot read " + path);
    std::vector<journal_line> lines;
    for (std::string text; std::getline(file, text) && !file.eof();) {
        journal_line line;
        const char* const end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data(), end, line.digest, 16);
        if (failure != std::errc{} || stop != text.data() + 16 || stop == end || *stop != ' ')
            throw std::runtime_error(path + ": line " + std::to_string(lines.size() + 1) +
                                     " is not a digest and a key");
        line.key.assign(stop + 1, end);
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace catalogue
