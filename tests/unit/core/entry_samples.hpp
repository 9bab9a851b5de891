// Entries for tests of the stored form.
#pragma once

#include <string>

#include "base/key_digest.hpp"
#include "base/sha256.hpp"
#include "core/entry.hpp"

namespace llm_edge_cache {

inline KeyDigest sample_key() {
  return sha256("sample");
}

// Every field set, the payload `bytes` long and compressible.
inline Entry sample_entry(std::size_t bytes = 40) {
  Entry entry;
  while (entry.response.content.size() < bytes) {
    entry.response.content += R"({"choices":[{"message":{"content":"four"}}]})";
  }
  entry.response.content.resize(bytes);
  entry.response.tokens = TokenUsage{11, 22, 33};
  entry.response.model = "gpt-4o-2024-08-06";
  entry.response.cached_at_ms = 1'700'000'000'123;
  entry.status = 200;
  entry.content_type = "application/json";
  entry.finish_reason = "stop";
  entry.expires_ms = 1'700'000'300'123;
  entry.stale_until_ms = 1'700'000'600'123;
  entry.tags = {"docs", "", "team-a"};
  return entry;
}

}  // namespace llm_edge_cache
