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

// What the configuration gives, or else the content of `state_file` where there is a second store,
// so that a restart and a second instance of the same user find the same scopes; made, 0600 in a
// folder of 0700, where it is not there. Errors name the file: one that others can read is refused.
// Where nothing is keyed yet (tenants may come later) a file that cannot be had is no error.
[[nodiscard]] Result<ScopeSecret> load_scope_secret(const ServeConfig& config,
                                                    const std::filesystem::path& state_file);

// What is wrong with that secret for proxies of other users or machines on the same store, or for a
// restart; empty where all is well, or where nothing is keyed.
[[nodiscard]] std::string warning_of(const ScopeSecret& secret, const ServeConfig& config);

// The secret that a start would find, never made; empty where there is none to be found.
[[nodiscard]] Result<std::string> find_scope_secret(const ServeConfig& config,
                                                    const std::filesystem::path& state_file);

}  // namespace llm_edge_cache::app
