// How canonical JSON spells strings and numbers (RFC 8785, 3.2.2; canonical_json.hpp says where it
// departs from it), and a cheap test for scalars that are spelled so already.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llm_edge_cache {

// Quoted and escaped. The text is UTF-8; that is not checked.
void append_json_string(std::string& out, std::string_view text);

void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
// Must be finite.
void append_json_number(std::string& out, double number);

// True for a scalar in canonical form whose form is easy to see: true, false, null, integers and
// plain decimals of at most 15 digits, printable ASCII strings without escapes. False says nothing.
[[nodiscard]] bool is_plain_canonical_scalar(std::string_view text);

}  // namespace llm_edge_cache
