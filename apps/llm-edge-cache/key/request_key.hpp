// The keys of requests given in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"

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
  std::string upstream;
  std::string target = "/v1/chat/completions";
  std::vector<std::string> headers;  // "NAME: VALUE"
  std::string name_space;
  std::string scope = "credential";
  std::string secret_file;  // empty: LLM_EDGE_CACHE_SCOPE_SECRET, or else the default file
  std::string body;
};

// The key under which `serve` with the same options stores the answer. A secret is needed where
// scopes are credentials; it is read as `serve` with a shared store reads it, and never made. Of a
// request for embeddings, one key a line for each element.
[[nodiscard]] Result<std::string> proxied_key(const ProxiedRequest& request);

}  // namespace llm_edge_cache::app
