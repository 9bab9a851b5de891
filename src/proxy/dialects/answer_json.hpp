// JSON of answers as the dialects see it: members keep their order.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/dialects/json_view.hpp"

namespace llm_edge_cache::proxy {

using Json = nlohmann::ordered_json;

// Empty where the text is not one JSON value, not UTF-8, nested deeper than kMaxJsonDepth, has so
// many members in one object (thousands) that merging it would take long, names one of them twice
// however it is escaped, or holds a whole number that 64 bits do not hold: written again, it would
// be another one. Thread-safe; each thread keeps memory for the next text, as canonical_json.hpp
// says.
[[nodiscard]] std::optional<Json> parse_answer_json(std::string_view text);

// Whether no object in the text has a name twice, however it is escaped. Where one has, readers
// differ in what the text says.
[[nodiscard]] bool has_unique_names(const ParsedJson& json);

// The member, or null where the value is no object or has no such member.
[[nodiscard]] const Json& member_of(const Json& value, std::string_view name);

// The text, or empty text where the value is none.
[[nodiscard]] std::string text_of(const Json& value);

// Whether the input of a tool is one that the tool can read: a JSON value, or empty text, which is
// how some say that there is none. A model that fails at it does better when it is asked again.
[[nodiscard]] bool is_tool_input(std::string_view text);

// Equal but for the order of members.
[[nodiscard]] bool says_the_same(const Json& a, const Json& b);

}  // namespace llm_edge_cache::proxy
