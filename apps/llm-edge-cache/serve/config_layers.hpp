// Puts a ServeConfig together: flags over environment over YAML file over defaults.
#pragma once

#include <map>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// By Option::name; only what was given on the command line.
using FlagValues = std::map<std::string, std::string, std::less<>>;
// By variable; only those that start with LLM_EDGE_CACHE_.
using EnvironmentValues = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] EnvironmentValues read_environment();

// The whole configuration, validated. `yaml_file` may be empty. kInvalidArgument names the flag,
// the variable, or the file, line and key; kIo where the file cannot be read.
[[nodiscard]] Result<ServeConfig> load_config(const FlagValues& flags,
                                              const EnvironmentValues& environment,
                                              const std::string& yaml_file);

}  // namespace llm_edge_cache::app
