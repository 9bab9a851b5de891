// A second translation unit: headers must not define what may be defined once.
#include <llm_edge_cache/llm_edge_cache.hpp>

namespace {
[[maybe_unused]] const auto kHealth = llm_edge_cache::HealthStatus{};
}  // namespace
