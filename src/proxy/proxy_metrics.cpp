#include "proxy/proxy_metrics.hpp"

#include <algorithm>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kOtherModels = "other";

template <class Counters, class Values>
void copy_counters(const Counters& counters, Values& values) {
  std::transform(counters.begin(), counters.end(), values.begin(),
                 [](const auto& counter) { return counter.load(std::memory_order_relaxed); });
}

}  // namespace

std::string_view to_string(StoreRefusal refusal) {
  switch (refusal) {
    case StoreRefusal::kNotAsked:
      return "not_asked";
    case StoreRefusal::kStatus:
      return "status";
    case StoreRefusal::kContentType:
      return "content_type";
    case StoreRefusal::kEncoding:
      return "encoding";
    case StoreRefusal::kTooLarge:
      return "too_large";
    case StoreRefusal::kTruncated:
      return "truncated";
    case StoreRefusal::kMalformed:
      return "malformed";
    case StoreRefusal::kErrorInAnswer:
      return "error_in_answer";
    case StoreRefusal::kUnfinished:
      return "unfinished";
    case StoreRefusal::kFinishReason:
      return "finish_reason";
  }
  return "malformed";
}

std::string_view to_string(UpstreamResult result) {
  switch (result) {
    case UpstreamResult::kOk:
      return "ok";
    case UpstreamResult::kServerError:
      return "server_error";
    case UpstreamResult::kConnectFailed:
      return "connect_failed";
    case UpstreamResult::kTimeout:
      return "timeout";
    case UpstreamResult::kBroken:
      return "broken";
    case UpstreamResult::kAbandoned:
      return "abandoned";
  }
  return "broken";
}

void ProxyMetrics::count_tokens_saved(std::string_view model, std::uint64_t tokens) {
  if (tokens == 0) return;
  const MutexLock lock(models_mu_);
  auto found = tokens_saved_.find(model);
  if (found == tokens_saved_.end()) {
    // The upstream names the models: a label from outside must not grow the export without end.
    const bool has_room =
        tokens_saved_.size() < kMaxModels && model.size() <= kMaxModelNameBytes && !model.empty();
    found = tokens_saved_.try_emplace(std::string(has_room ? model : kOtherModels), 0).first;
  }
  found->second += tokens;
}

ProxyMetricsSnapshot ProxyMetrics::snapshot() const {
  ProxyMetricsSnapshot result;
  copy_counters(requests_, result.requests);
  for (const auto count : result.requests) result.requests_total += count;
  copy_counters(refusals_, result.store_refusals);
  copy_counters(upstream_, result.upstream_calls);
  result.own_errors = own_errors_.load(std::memory_order_relaxed);
  result.stores = stores_.load(std::memory_order_relaxed);
  result.flights_active = flights_.load(std::memory_order_relaxed);
  result.followers_cut = followers_cut_.load(std::memory_order_relaxed);
  result.upstream_latency = latency_.snapshot();
  result.upstream_time_to_first_byte = first_byte_.snapshot();
  const MutexLock lock(models_mu_);
  result.tokens_saved_by_model.insert(tokens_saved_.begin(), tokens_saved_.end());
  return result;
}

}  // namespace llm_edge_cache::proxy
