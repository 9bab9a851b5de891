// The list `tenants` of the configuration file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "proxy/tenant_options.hpp"

namespace YAML {
class Node;
}

namespace llm_edge_cache::app {

inline constexpr std::string_view kTenantsKey = "tenants";
// Before the 64 hex digits of a key's SHA-256.
inline constexpr std::string_view kKeyHashPrefix = "sha256:";

// With the credentials that `credentials` names, read from this process's environment.
// kInvalidArgument says file, line and key, and never repeats a credential.
[[nodiscard]] Result<std::vector<proxy::TenantOptions>> read_tenants(const YAML::Node& list,
                                                                     const std::string& file);

// Their part of docs/configuration.md.
[[nodiscard]] std::string tenants_markdown();

}  // namespace llm_edge_cache::app
