// The secret under which credentials become scopes.
#pragma once

#include <filesystem>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

enum class SecretSource {
  kEnvironment,  // LLM_EDGE_CACHE_SCOPE_SECRET
  kFile,         // --scope-secret-file
  kStateFile,    // the user's own, made on the first start
  kMemory,       // of this process alone: what it keys lives no longer
};

struct ScopeSecret {
  std::string secret;
  SecretSource source = SecretSource::kMemory;
  std::filesystem::path file = {};  // where it was read from
};

// $XDG_STATE_HOME/llm-edge-cache/secret, or ~/.local/state/llm-edge-cache/secret; empty where
// neither variable is set.
[[nodiscard]] std::filesystem::path default_secret_file();

// What the configuration gives, or else the content of `state_file` where there is a shared store,
// so that a restart and a second instance of the same user find the same scopes; made, 0600 in a
// folder of 0700, where it is not there. Errors name the file: one that others can read is refused.
[[nodiscard]] Result<ScopeSecret> load_scope_secret(const ServeConfig& config,
                                                    const std::filesystem::path& state_file);

// The secret that a start would find, never made; empty where there is none to be found.
[[nodiscard]] Result<std::string> find_scope_secret(const ServeConfig& config,
                                                    const std::filesystem::path& state_file);

}  // namespace llm_edge_cache::app
