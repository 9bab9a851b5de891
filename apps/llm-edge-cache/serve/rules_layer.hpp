// The list `rules` of the configuration file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace YAML {
class Node;
}

namespace llm_edge_cache::app {

inline constexpr std::string_view kRulesKey = "rules";
inline constexpr std::uint64_t kMaxRuleSeconds = proxy::kLongestLifeMs / 1'000;

// kInvalidArgument says file, line and key.
[[nodiscard]] Result<std::vector<ConfiguredRule>> read_rules(const YAML::Node& list,
                                                             const std::string& file);

// Their part of docs/configuration.md.
[[nodiscard]] std::string rules_markdown();

}  // namespace llm_edge_cache::app
