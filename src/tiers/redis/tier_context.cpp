#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

void TierContext::count_failure(const Error& error) {
  counters.add_error(error.code);
  if (error.code == ErrorCode::kProtocol) tell(TierEventKind::kStoreError, error.message);
}

}  // namespace llm_edge_cache::redis
