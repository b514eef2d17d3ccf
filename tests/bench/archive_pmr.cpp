// Wharf's rows for S and M with their strings and containers in an arena, of which a decode gives
// everything back at once.
#include "archive_bench.hpp"
#include "archive_serialize.hpp"

#include <wharf/archive.hpp>

#include <array>
#include <memory_resource>

namespace bench::archive {
namespace {

using allocator = std::pmr::polymorphic_allocator<>;

struct pmr_small {
    std::int32_t a = 0, b = 0;
    std::pmr::string text;
    explicit pmr_small(allocator from) : text(from) {}
};

struct pmr_record {
    using allocator_type = allocator;
    std::uint64_t id = 0;
    std::pmr::string name;
    std::pmr::vector<std::pmr::string> tags;
    std::pmr::map<std::pmr::string, double> numbers;
    explicit pmr_record(allocator from = {}) : name(from), tags(from), numbers(from) {}
    pmr_record(pmr_record&& other, allocator to)
        : id(other.id),
          name(std::move(other.name), to),
          tags(std::move(other.tags), to),
          numbers(std::move(other.numbers), to)
    {}
};

struct pmr_medium {
    std::pmr::vector<pmr_record> records;
    explicit pmr_medium(allocator from) : records(from) {}
};

template <class Archive>
inline void serialize(Archive& ar, pmr_small& value, unsigned /*version*/)
{
    ar& value.a& value.b& value.text;
}
template <class Archive>
inline void serialize(Archive& ar, pmr_record& value, unsigned /*version*/)
{
    ar& value.id& value.name& value.tags& value.numbers;
}
template <class Archive>
inline void serialize(Archive& ar, pmr_medium& value, unsigned /*version*/)
{
    ar& value.records;
}

using bytes = std::vector<std::byte>;

template <class T>
void load(T& value, const bytes& message)
{
    wharf::load_archive in(message);
    in >> value;
    in.finish();
}

/// T's bytes, which InArena encodes and decodes to as well.
template <class T, class InArena>
void add_pmr(rows& to, std::size_t arena_bytes)
{
    const bytes message = wharf::to_bytes(make<T>());
    const auto filled = std::make_shared<InArena>(std::pmr::new_delete_resource());
    load(*filled, message);
    if (wharf::to_bytes(*filled) != message)
        throw std::runtime_error("wharf, pmr decodes wrongly");

    auto output = std::make_shared<wharf::byte_buffer>();
    add<T>(to, "wharf, pmr", "encode", message.size(), [filled, output] {
        output->clear();
        wharf::store_archive out(*output);
        out << *filled;
        out.flush();
        keep(*output->data());
    });
    auto block = std::make_shared<std::vector<std::byte>>(arena_bytes);
    add<T>(to, "wharf, pmr", "decode", message.size(), [message, block] {
        std::pmr::monotonic_buffer_resource arena(block->data(), block->size(),
                                                  std::pmr::null_memory_resource());
        InArena decoded(&arena);
        load(decoded, message);
        keep(decoded);
    });
}

} // namespace

void add_wharf_pmr(rows& to)
{
    add_pmr<small, pmr_small>(to, 1 << 10);
    add_pmr<medium, pmr_medium>(to, 8 << 20);
}

} // namespace bench::archive
