// Sends a stream of prompts, so many at a time, and adds up what comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "http/client.hpp"
#include "http/io_threads.hpp"
#include "http/url.hpp"
#include "replay/prompt_stream.hpp"
#include "replay/replay_stats.hpp"

namespace llm_edge_cache::app {

struct ReplayOptions {
  std::string target;  // URL of the proxy
  std::string model = "mock-small";
  std::string api_key = "replay";
  std::size_t concurrency = 16;
  std::size_t repeat = 1;  // how often the whole stream is sent
  bool stream = false;
  bool verify = false;  // every answer to a prompt must be the same bytes as the first

  // kInvalidArgument names the option.
  [[nodiscard]] Status validate() const;
};

struct ReplayProgress {
  std::size_t answered = 0;
  std::size_t total = 0;
  std::size_t hits = 0;
  std::size_t errors = 0;
};

struct ReplayResult {
  ReplayStats stats;
  std::uint64_t duration_ms = 0;
  // SHA-256 of the first good answer by distinct prompt; empty unless verified.
  std::vector<std::optional<KeyDigest>> answers;
};

// Blocks until every prompt was answered or failed. on_progress runs about five times a second on
// another thread; it may be empty. Throws as http::Client does.
[[nodiscard]] ReplayResult replay(const PromptStream& prompts, const ReplayOptions& options,
                                  const std::function<void(const ReplayProgress&)>& on_progress);

// Asks the provider itself for each distinct prompt and returns how many of the answers in `result`
// are other bytes than its own, unanswered ones included.
[[nodiscard]] std::size_t compare_with_provider(const PromptStream& prompts, ReplayOptions options,
                                                const std::string& provider_url,
                                                const ReplayResult& result);

}  // namespace llm_edge_cache::app
