// Writes the bytes of a message from JSON, guided by a schema.
#pragma once

#include "json_document.hpp"
#include "json_numbers.hpp"
#include "json_path.hpp"
#include "schema_objects.hpp"

#include <span>

namespace wharf::detail {

class json_encoder {
public:
    /// All must outlive the encoder. `defaults` are a value of the same schema, or null.
    json_encoder(const schema_view& types, const json_document& text, const json_document* defaults,
                 const limits& limit);

    /// A message, which a reader may still refuse: references and limits are its matter. Throws
    /// archive_error.
    std::vector<std::byte> encode();

private:
    using value = json_value; ///< of one of the two texts, or none
    struct entry {
        std::vector<std::byte> key = {};
        value mapped = {};
        std::uint32_t place = 0;    ///< in the text
        std::string_view name = {}; ///< of an object's member
    };
    /// Words that an object may have beside its members, as bits.
    enum words : unsigned { no_words = 0, id_word = 1, type_word = 2, construct_word = 4 };

    [[noreturn]] void fail(const std::string& why, errc code = errc::bad_json) const;
    [[noreturn]] void fail_expected(const std::string& expected, const value& found) const;
    void need(json_kind kind, const char* expected, const value& v) const;
    void charge(std::size_t bytes);
    void need_room(std::uint64_t bytes) const;
    void put_byte(unsigned byte) { out_.push_back(static_cast<std::byte>(byte)); }
    void put_varint(std::uint64_t number);
    void put_bytes(std::span<const std::byte> bytes);

    void put_element(std::uint32_t type, value v, value fallback = {});
    void put_value(std::uint32_t type, value v, value fallback = {});
    void put_kind(std::uint32_t type, value v, value fallback);
    void put_default(std::uint32_t type);
    void put_integer(const schema_type& type, const value& v);
    wide_integer take_integer(const value& v, wide_integer least, wide_integer greatest) const;
    void put_real(const schema_type& type, const value& v);
    void put_enumeration(const schema_type& type, const value& v);
    void put_text(const schema_type& type, std::string_view text);
    void put_base64(const schema_type& type, const value& v);
    void put_bits(const schema_type& type, const value& v);
    void put_parts(const schema_type& type, const value& v, const value& fallback);
    void put_optional(const schema_type& type, const value& v);
    void put_variant(std::uint32_t type, const value& v);
    void put_keyed(const schema_type& type, const value& v);
    void put_entries(const schema_type& type, const value& v);
    std::vector<entry> take_entries(const schema_type& type, const value& v);
    std::vector<std::byte> take_key(const schema_type& type, const value& key);
    void sort_entries(const schema_type& type, std::vector<entry>& entries);
    void push_step(const entry& e);

    void put_class(std::uint32_t type, const value& v, const value& fallback, unsigned allowed);
    void put_fields(std::uint32_t type, const value& v, const value& fallback, unsigned allowed);
    void put_version(std::uint32_t type);
    value find_member(const value& object, std::string_view key);
    void put_pointer(const schema_type& type, const value& v);
    void put_tracked(const schema_type& type, const value& v, const value& fallback);
    void put_class_name(const schema_type& type, const schema_derived& of);
    const schema_derived& take_type(const schema_type& type, const value& v);
    bool put_reference(const value& v);
    void add_object(const value& v);
    std::uint64_t take_label(const value& v, std::string_view word) const;

    const schema_view& types_;
    const json_document& text_;
    const json_document* defaults_;
    const limits& limit_;
    std::size_t budget_;
    std::uint32_t nesting_ = 0;
    std::vector<std::byte> out_;
    std::vector<std::uint32_t> versions_;
    bool has_versions_ = false; ///< one is not 0
    std::vector<bool> is_met_;
    schema_objects objects_;
    std::map<std::pair<const json_document*, std::uint64_t>, std::uint32_t> labels_;
    json_path path_;
};

} // namespace wharf::detail
