// An entry as a line of JSON, as /export writes it and /import reads it (docs/guide.md).
#pragma once

#include <string>
#include <string_view>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// Ends with a line feed. What is not UTF-8 stands as content_base64 in place of content.
[[nodiscard]] std::string to_line(const KeyedEntry& entry);
// Without the content, with its size; for people. No line feed.
[[nodiscard]] std::string to_summary(const Entry& entry, UnixMillis now_ms);

// kInvalidArgument, naming the member, for what to_line() would not write. Members that are not
// known are passed over.
[[nodiscard]] Result<KeyedEntry> entry_of_line(std::string_view line);

}  // namespace llm_edge_cache::app
