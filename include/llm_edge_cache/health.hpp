#pragma once

namespace llm_edge_cache {

struct HealthStatus {
  bool l1_healthy = false;
  bool l2_healthy = false;  // false where L2 is not configured
  bool l2_configured = false;

  // An L2 that was never asked for cannot be ill.
  [[nodiscard]] bool is_fully_healthy() const {
    return l1_healthy && (!l2_configured || l2_healthy);
  }
};

}  // namespace llm_edge_cache
