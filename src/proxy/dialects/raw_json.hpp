// A look into JSON text that leaves values as they are written: for answers with so many numbers
// that building them would cost more than all else.
#pragma once

#include <functional>
#include <string_view>

namespace llm_edge_cache::proxy {

// Called with the text of each part, without white space around it; false ends the walk. Only the
// structure around the parts is checked: whoever uses a part has to look into it.
using VisitMember = std::function<bool(std::string_view name, std::string_view value)>;
using VisitElement = std::function<bool(std::string_view value)>;

// False where the text is no object, a name has an escape in it, or the visitor said so.
[[nodiscard]] bool for_each_raw_member(std::string_view object, const VisitMember& visit);
// False where the text is no array, or the visitor said so.
[[nodiscard]] bool for_each_raw_element(std::string_view array, const VisitElement& visit);

// A JSON array of numbers and nothing else.
[[nodiscard]] bool is_raw_number_array(std::string_view text);
// A JSON string of the characters of base64 (RFC 4648, section 4), whole groups, padding at its end
// only.
[[nodiscard]] bool is_raw_base64(std::string_view text);

}  // namespace llm_edge_cache::proxy
