// The options of `serve` on a command line.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// Must outlive the parsing of the command line: CLI11 fills it in place.
class ConfigArguments {
 public:
  void add_to(CLI::App& command);
  // After the line was parsed. As load_config().
  [[nodiscard]] Result<ServeConfig> load() const;

 private:
  std::map<std::string, std::string> values_;  // by Option::name
  std::map<std::string, CLI::Option*> given_;
  std::string config_file_;
};

}  // namespace llm_edge_cache::app
