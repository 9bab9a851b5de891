// Configurations for tests on real servers.
#pragma once

#include <string>
#include <utility>

#include "base/key_digest.hpp"
#include "llm_edge_cache/config.hpp"
#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {

// Reconnects quickly, so that tests need not wait long for what happens in the background, and
// leaves a server that is well all the time it needs on a busy machine.
inline L2Config quick(std::string url) {
  return {.url = std::move(url),
          .connect_timeout_ms = 20'000,
          .operation_timeout_ms = 20'000,
          .breaker_open_ms = 50,
          .reconnect_min_ms = 10,
          .reconnect_max_ms = 100};
}

// For servers that do not answer.
inline L2Config impatient(std::string url) {
  L2Config config = quick(std::move(url));
  config.connect_timeout_ms = 500;
  config.operation_timeout_ms = 100;
  return config;
}

// Under the default prefix.
inline std::string stored_key(std::uint64_t number) {
  return "llm_cache:" + to_hex(test::key_of(number));
}

}  // namespace llm_edge_cache::redis
