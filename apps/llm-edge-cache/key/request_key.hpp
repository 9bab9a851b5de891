// The keys of requests given in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// As CacheableRequest.
struct LibraryRequest {
  std::string model;
  std::string prompt;
  std::optional<double> temperature;
  std::optional<std::uint32_t> max_tokens;
  std::optional<std::string> name_space;
  std::vector<std::string> parameters;  // "NAME=JSON"
};

// 64 hex digits. kInvalidArgument names what cannot be part of a key.
[[nodiscard]] Result<std::string> library_key(const LibraryRequest& request);

// POST to that target. headers: "NAME: VALUE".
[[nodiscard]] Result<http::RequestHead> client_head(const std::string& target,
                                                    const std::vector<std::string>& headers);

// As a client sends it to the proxy.
struct ProxiedRequest {
  std::string target = "/v1/chat/completions";
  std::vector<std::string> headers;  // "NAME: VALUE"
  std::string name_space;            // as x-llm-cache-namespace has it; empty: none beside headers
  std::string body;
};

// The key under which `serve` with this configuration stores the answer, as explain() tells it. Of
// a request for embeddings, one key a line for each element. kInvalidArgument says why there is
// none, or what it depends on that is not known.
[[nodiscard]] Result<std::string> proxied_key(const ServeConfig& config,
                                              const ProxiedRequest& request);

}  // namespace llm_edge_cache::app
