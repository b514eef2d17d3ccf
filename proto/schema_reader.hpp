// Reads a message by its schema, with every check that load_archive makes, and writes it as JSON.
#pragma once

#include "json_path.hpp"
#include "json_writer.hpp"
#include "schema_objects.hpp"

#include <wharf/limits.hpp>

#include <span>

namespace wharf::detail {

class schema_reader {
public:
    /// All four must outlive the reader. Without `out` the message is only checked.
    schema_reader(const schema_view& types, std::span<const std::byte> message, const limits& limit,
                  json_writer* out);

    /// Reads the whole message; throws archive_error. `referred` says which objects are named
    /// "$id", since something refers to them: what referred() returns after a read without `out`.
    void read(const std::vector<bool>& referred = {});
    /// Errors do not say at which byte: nobody has seen the bytes.
    void hide_offsets() noexcept { shows_offsets_ = false; }
    const std::vector<bool>& referred() const noexcept { return referred_; }

private:
    [[noreturn]] void fail(errc code, const std::string& why = {}) const;
    [[noreturn]] void fail_at_byte(errc code, std::size_t offset,
                                   const std::string& why = {}) const;
    void check(errc code, const char* why = "") const
    {
        if (code != errc{})
            fail(code, why);
    }
    std::size_t left() const noexcept { return message_.size() - at_; }
    /// Counts work and memory against the limit.
    void charge(std::size_t bytes);
    std::span<const std::byte> take(std::size_t n);
    std::uint64_t take_varint();
    std::size_t take_count(std::size_t element_bytes_min);
    bool take_bool();
    std::vector<bool> take_bits(const schema_type& type);

    void read_prelude();
    void read_element(std::uint32_t type);
    void read_pad(std::size_t begun);
    /// `is_member`: as a member or base of the class around it.
    void read_value(std::uint32_t type, bool is_member = false);
    void read_kind(std::uint32_t type);
    void read_integer(const schema_type& type);
    void read_real(const schema_type& type);
    void read_enumeration(const schema_type& type);
    /// The string as UTF-8, where it is written.
    std::string read_text(const schema_type& type);
    void read_elements(const schema_type& type, std::uint64_t n);
    void read_keyed(const schema_type& type);
    void read_entry(const schema_type& type, std::uint64_t i, bool is_object);
    void check_key(const schema_type& type, std::span<const std::byte> key);
    void check_once();
    void read_optional(const schema_type& type);
    void read_variant(std::uint32_t type);
    void read_version(std::uint32_t type);
    void read_fields(std::uint32_t type);
    /// Construct data, if any, and members, as members of an object of JSON that is begun.
    void read_class(std::uint32_t type, std::uint32_t object = schema_objects::none);

    void read_pointer(const schema_type& type);
    void read_pointee(const schema_type& type);
    std::uint32_t read_class_name(const schema_type& type);
    void read_tracked(const schema_type& type);
    void write_reference(std::uint64_t number);
    void write_type(const schema_type& type, std::uint32_t of);
    void write_id(std::uint32_t number);
    void write_null();

    const schema_view& types_;
    std::span<const std::byte> message_;
    const limits& limit_;
    json_writer* out_;
    std::size_t at_ = 0;
    std::size_t budget_ = 0;
    std::uint32_t levels_ = 0;  ///< of classes that may still begin
    std::uint32_t nesting_ = 0; ///< of values of all kinds
    std::uint64_t scope_ = 0;
    std::uint64_t scopes_ = 0;
    bool has_table_ = false;
    bool shows_offsets_ = true;
    std::vector<std::uint32_t> table_;
    std::size_t table_used_ = 0;
    std::vector<bool> is_met_; ///< classes that have their version
    schema_objects objects_;
    std::vector<bool> referred_;
    json_path path_;
    /// Keys of the innermost set or map that were read.
    std::vector<std::span<const std::byte>> keys_;
};

} // namespace wharf::detail
