// Which entries an export, an import or a purge is about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/entry.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// What is to be exported, imported or purged; nothing said: everything.
struct EntryFilter {
  std::optional<std::string> model = {};
  std::optional<std::string> tag = {};
  std::optional<std::int64_t> max_age_ms = {};

  // model=, tag= and max_age_seconds=, percent-encoded. kInvalidArgument for any other.
  [[nodiscard]] static Result<EntryFilter> of_query(std::string_view query);
  [[nodiscard]] bool matches(const Entry& entry, UnixMillis now_ms) const;
};

}  // namespace llm_edge_cache::app
