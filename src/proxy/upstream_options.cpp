#include "proxy/upstream_options.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::uint32_t kMostRetries = 16;
constexpr std::int64_t kLongestMs = 3'600'000;

Status between(const char* name, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) {
    return {};
  }
  return Error{ErrorCode::kInvalidArgument, std::string(name) + " must be from " +
                                                std::to_string(min) + " to " + std::to_string(max)};
}

}  // namespace

bool is_credential_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

Status RetryOptions::validate() const {
  for (const auto& status :
       {between("max_retries", max_retries, 0, kMostRetries),
        between("deadline_ms", deadline_ms, 0, kLongestMs),
        between("max_wait_ms", max_wait_ms, 0, kLongestMs),
        between("min_backoff_ms", min_backoff_ms, 1, kLongestMs),
        between("max_backoff_ms", max_backoff_ms, min_backoff_ms, kLongestMs),
        between("max_errors", max_errors, 1, 1'000), between("open_ms", open_ms, 1, kLongestMs)}) {
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

}  // namespace llm_edge_cache::proxy
