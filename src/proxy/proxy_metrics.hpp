// What the proxy counts. src/observability turns a snapshot into Prometheus text.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/thread_slots.hpp"
#include "llm_edge_cache/lookup_result.hpp"
#include "proxy/label_table.hpp"
#include "proxy/latency_histogram.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::size_t kOutcomeCount = static_cast<std::size_t>(LookupOutcome::kBypass) + 1;

// Why an answer that passed was not stored.
enum class StoreRefusal {
  // The request, its rule or its endpoint keeps nothing; or the answer is one caller's own: it
  // repeats metadata that is not in the key, or hands out a container.
  kNotAsked,
  kStatus,         // not 200
  kContentType,    // neither the JSON nor the event stream that the request asked for
  kEncoding,       // the upstream compressed what was to be recorded as plain bytes
  kTooLarge,       // over max_entry_bytes, or in so many tiny pieces that keeping them takes more
  kTruncated,      // the upstream broke off
  kMalformed,      // not what the dialect calls an answer
  kErrorInAnswer,  // status 200, but an error inside
  kUnfinished,     // no terminal event, or a choice without a finish reason
  kFinishReason,   // finished by a limit or a filter
  kPurged,         // asked for before a purge, or before another process stored a younger answer
  kTookTooLong,    // nobody may wait for a provider that only keeps its connection alive
  kUnforeseen,     // it is of a shape that our own code did not expect: a bug
};
inline constexpr std::size_t kStoreRefusalCount =
    static_cast<std::size_t>(StoreRefusal::kUnforeseen) + 1;
[[nodiscard]] std::string_view to_string(StoreRefusal refusal);

// How a call to the upstream ended.
enum class UpstreamResult {
  kOk,             // a whole answer of any status below 500
  kServerError,    // an answer of status 500 or above; nobody may have waited for its end
  kConnectFailed,  // no connection, TLS included, or none free
  kTimeout,        // past a deadline: of the connection, the first byte, the next one, or a write
  kBroken,         // closed before the answer was whole, or not HTTP
  // Given up by us, for nobody wanted the answer any more; or never made: over the rate of a tenant
  // or a credential (for embeddings that is not counted), or while the proxy stops.
  kAbandoned,
};
inline constexpr std::size_t kUpstreamResultCount =
    static_cast<std::size_t>(UpstreamResult::kAbandoned) + 1;
[[nodiscard]] std::string_view to_string(UpstreamResult result);

struct ProxyMetricsSnapshot {
  std::array<std::uint64_t, kOutcomeCount> requests{};  // by LookupOutcome
  std::uint64_t requests_total = 0;
  // Answers of ours that are errors (401, 429, 502, ..), whatever the outcome; those that the
  // server gives by itself (408, 413, ..) are not among them.
  std::uint64_t own_errors = 0;
  std::uint64_t unknown_keys = 0;  // requests refused for them
  std::uint64_t stores = 0;
  std::array<std::uint64_t, kStoreRefusalCount> store_refusals{};
  std::array<std::uint64_t, kUpstreamResultCount> upstream_calls{};
  HistogramSnapshot upstream_latency;             // call to last byte, of kOk and kServerError
  HistogramSnapshot upstream_time_to_first_byte;  // call to response head
  std::uint64_t flights_active = 0;
  // Followers cut because they lagged too far behind an answer too large to keep.
  std::uint64_t followers_cut = 0;
  // Tokens of answers served without a call of their own. At most kMaxModels names; the rest is
  // summed under "other".
  std::map<std::string, std::uint64_t> tokens_saved_by_model;
};

// Thread-safe. What every request counts is written to a slot of the calling thread's own.
class ProxyMetrics {
 public:
  static constexpr std::size_t kMaxModels = LabelTable::kMaxLabels;
  static constexpr std::size_t kMaxModelNameBytes = LabelTable::kMaxLabelBytes;

  void count_request(LookupOutcome outcome) { add(&Counters::requests, outcome); }
  void count_own_error() { add(&Counters::own_errors); }
  void count_unknown_key() { add(&Counters::unknown_keys); }
  void count_store() { add(&Counters::stores); }
  void count_refusal(StoreRefusal refusal) { add(&Counters::refusals, refusal); }
  void count_upstream(UpstreamResult result) { add(&Counters::upstream, result); }
  void count_cut_follower() { add(&Counters::followers_cut); }
  void observe_upstream_latency(std::chrono::nanoseconds elapsed) { latency_.observe(elapsed); }
  void observe_first_byte(std::chrono::nanoseconds elapsed) { first_byte_.observe(elapsed); }
  void flight_started() { add(&Counters::flights_started); }
  void flight_ended() { add(&Counters::flights_ended); }
  void count_tokens_saved(std::string_view model, std::uint64_t tokens);

  // Counts of a moment while others write: each is exact, sums may be a few requests apart.
  [[nodiscard]] ProxyMetricsSnapshot snapshot() const;

 private:
  struct Counters {
    std::array<SlotCounter, kOutcomeCount> requests;
    std::array<SlotCounter, kStoreRefusalCount> refusals;
    std::array<SlotCounter, kUpstreamResultCount> upstream;
    SlotCounter own_errors;
    SlotCounter unknown_keys;
    SlotCounter stores;
    SlotCounter flights_started;
    SlotCounter flights_ended;
    SlotCounter followers_cut;
    std::array<SlotCounter, kMaxModels + 1> tokens_saved;  // by index of models_
  };

  void add(SlotCounter Counters::* counter) {
    slots_.write([&](Counters& mine, bool shared) { (mine.*counter).add(1, shared); });
  }
  template <std::size_t kCount, class Label>
  void add(std::array<SlotCounter, kCount> Counters::* family, Label label) {
    slots_.write([&](Counters& mine, bool shared) {
      (mine.*family)[static_cast<std::size_t>(label)].add(1, shared);
    });
  }
  [[nodiscard]] std::uint64_t sum(SlotCounter Counters::* counter) const;

  ThreadSlots<Counters> slots_;
  LabelTable models_;
  LatencyHistogram latency_;
  LatencyHistogram first_byte_;
};

}  // namespace llm_edge_cache::proxy
