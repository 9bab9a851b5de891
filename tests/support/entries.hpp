// Keys and entries for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/key_digest.hpp"
#include "core/entry.hpp"

namespace llm_edge_cache::test {

// Different numbers differ in the bytes that are hashed and in the last one, as digests do.
inline KeyDigest key_of(std::uint64_t number) {
  KeyDigest key;
  const std::uint64_t mixed = (number + 1) * 0x9E3779B97F4A7C15U;
  std::memcpy(key.bytes.data(), &mixed, sizeof mixed);
  std::memcpy(key.bytes.data() + key.bytes.size() - sizeof number, &number, sizeof number);
  key.bytes.back() = static_cast<std::uint8_t>(number);
  return key;
}

struct EntryTimes {
  UnixMillis expires_ms = 0;
  UnixMillis stale_until_ms = 0;
};

inline EntryPtr entry_of(std::string content, EntryTimes times) {
  auto entry = std::make_shared<Entry>();
  entry->response.content = std::move(content);
  entry->response.model = "gpt-4o";
  entry->response.tokens =
      TokenUsage{.prompt_tokens = 3, .completion_tokens = 4, .total_tokens = 7};
  entry->response.cached_at_ms = 1'700'000'000'000;
  entry->content_type = "application/json";
  entry->finish_reason = "stop";
  entry->expires_ms = times.expires_ms;
  entry->stale_until_ms = times.stale_until_ms;
  return entry;
}

}  // namespace llm_edge_cache::test
