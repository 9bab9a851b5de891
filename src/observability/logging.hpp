// The process's log: one line per event on standard error, through spdlog's default logger.
// Standard output stays free for what a command prints.
#pragma once

#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::observability {

enum class LogFormat {
  kText,  // 2026-01-31T12:00:00.123Z info message
  kJson,  // {"time":"2026-01-31T12:00:00.123Z","level":"info","message":"message"}
};

struct LogOptions {
  // trace, debug, info, warning, error, critical or off.
  std::string level = "info";
  LogFormat format = LogFormat::kText;

  [[nodiscard]] Status validate() const;
};

// Replaces spdlog's default logger. Call it once, before threads log. Options must be valid.
void set_up_logging(const LogOptions& options);

// Appends text as the inside of a JSON string: quotes, backslashes and control characters escaped,
// so that no message can end its line or forge a member.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace llm_edge_cache::observability
