// JSON of answers as the dialects see it: members keep their order.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace llm_edge_cache::proxy {

using Json = nlohmann::ordered_json;

// A provider is not trusted to nest within reason.
inline constexpr int kMaxAnswerDepth = 128;

// Empty where the text is not one JSON value, not UTF-8, or nested deeper than kMaxAnswerDepth.
[[nodiscard]] std::optional<Json> parse_answer_json(std::string_view text);

// The member, or null where the value is no object or has no such member.
[[nodiscard]] const Json& member_of(const Json& value, std::string_view name);

// Adds a delta of a streamed message to what has come so far: strings grow, objects merge member by
// member, elements of arrays merge by their `index` or are appended, null changes nothing, and any
// other value replaces. The members that name a thing (id, type, role, index, format) replace.
void merge_delta(Json& target, const Json& delta);

}  // namespace llm_edge_cache::proxy
