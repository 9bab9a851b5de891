// The list `upstreams` of the configuration file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "proxy/upstream_options.hpp"

namespace YAML {
class Node;
}

namespace llm_edge_cache::app {

inline constexpr std::string_view kUpstreamsKey = "upstreams";

// With the credentials that credential_env names, read from this process's environment.
// kInvalidArgument says file, line and key, and never repeats a credential.
[[nodiscard]] Result<std::vector<proxy::UpstreamGroup>> read_upstreams(const YAML::Node& list,
                                                                       const std::string& file);

// Their part of docs/configuration.md.
[[nodiscard]] std::string upstreams_markdown();

}  // namespace llm_edge_cache::app
