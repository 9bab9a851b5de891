#include "proxy/proxy_metrics.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kOtherModels = "other";

template <std::size_t kCount>
void add_counters(const std::array<SlotCounter, kCount>& counters,
                  std::array<std::uint64_t, kCount>& sums) {
  for (std::size_t i = 0; i < kCount; ++i) sums[i] += counters[i].value();
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
    case StoreRefusal::kPurged:
      return "purged";
    case StoreRefusal::kTookTooLong:
      return "took_too_long";
    case StoreRefusal::kUnforeseen:
      return "unforeseen";
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
  const auto index = models_.index_of(model);
  slots_.write([&](Counters& mine, bool shared) { mine.tokens_saved[index].add(tokens, shared); });
}

std::uint64_t ProxyMetrics::sum(SlotCounter Counters::* counter) const {
  std::uint64_t total = 0;
  slots_.for_each([&](const Counters& counters) { total += (counters.*counter).value(); });
  return total;
}

ProxyMetricsSnapshot ProxyMetrics::snapshot() const {
  ProxyMetricsSnapshot result;
  // Ends are read before starts: a flight between the two readings must not make it negative.
  const auto flights_ended = sum(&Counters::flights_ended);
  result.flights_active = sum(&Counters::flights_started) - flights_ended;

  std::array<std::uint64_t, kMaxModels + 1> tokens_saved{};
  slots_.for_each([&](const Counters& counters) {
    add_counters(counters.requests, result.requests);
    add_counters(counters.refusals, result.store_refusals);
    add_counters(counters.upstream, result.upstream_calls);
    add_counters(counters.tokens_saved, tokens_saved);
    result.own_errors += counters.own_errors.value();
    result.unknown_keys += counters.unknown_keys.value();
    result.stores += counters.stores.value();
    result.followers_cut += counters.followers_cut.value();
  });
  for (const auto count : result.requests) result.requests_total += count;

  const auto models = models_.size();
  for (std::size_t i = 0; i < models; ++i) {
    if (tokens_saved[i] > 0) result.tokens_saved_by_model[models_.label(i)] = tokens_saved[i];
  }
  if (tokens_saved[LabelTable::kOther] > 0) {
    result.tokens_saved_by_model[std::string(kOtherModels)] += tokens_saved[LabelTable::kOther];
  }
  result.upstream_latency = latency_.snapshot();
  result.upstream_time_to_first_byte = first_byte_.snapshot();
  return result;
}

}  // namespace llm_edge_cache::proxy
