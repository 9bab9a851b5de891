// The simulated provider as a server: POST /v1/chat/completions, /v1/completions, /v1/embeddings
// and /v1/responses (OpenAI), /v1/messages and /v1/messages/count_tokens (Anthropic), GET
// /v1/models, and GET /mock/requests, which says what came so far: {"requests", "errors",
// "abandoned"}.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/io_threads.hpp"
#include "http/server.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

struct MockProviderOptions {
  std::string listen = "127.0.0.1:8081";
  std::uint64_t ttft_ms = 0;     // time to first token
  double tokens_per_second = 0;  // 0: as fast as possible
  double error_rate = 0;         // share of requests that fail, half by 429, half by 500
  std::uint64_t seed = 0;        // of the choice which fail
  bool require_auth = false;     // 401 without a bearer token or an x-api-key

  // kInvalidArgument names the option.
  [[nodiscard]] Status validate() const;
};

// Thread-safe. Every delay is a timer; no request holds a thread.
class MockProvider {
 public:
  // Listens when it returns. Throws as http::Server does.
  MockProvider(http::IoThreads& threads, const MockProviderOptions& options);
  ~MockProvider();
  MockProvider(const MockProvider&) = delete;
  MockProvider& operator=(const MockProvider&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  // Cuts what is under way.
  void stop() { server_.stop(); }

 private:
  http::Server server_;
};

}  // namespace llm_edge_cache::app
