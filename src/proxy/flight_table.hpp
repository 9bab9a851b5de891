// The flights that a request may join.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/flight.hpp"

namespace llm_edge_cache::proxy {

// Requests that may share a flight: the same question, wanted in the same form, to be kept for the
// same time.
struct FlightKey {
  KeyDigest key;
  AnswerWish wish;
  std::optional<std::uint64_t> ttl_ms;

  friend bool operator==(const FlightKey&, const FlightKey&) = default;
};

// Thread-safe. Holds a flight until remove().
class FlightTable {
 public:
  // Count of landings as far as they concern a key. Taken before the memory tier is looked up, it
  // tells whoever starts a flight if an answer may have been stored since. Takes no lock.
  using Landings = std::uint64_t;
  [[nodiscard]] Landings landings(const KeyDigest& key) const;

  struct Boarding {
    std::shared_ptr<Flight> flight;
    bool is_new = false;        // the caller has to feed it
    bool must_recheck = false;  // is_new, and something landed since `seen`
  };
  [[nodiscard]] Boarding join_or_start(const FlightKey& key, Landings seen,
                                       const FlightOptions& options);

  // The same for whoever need not wait for the answer: no flight is given where one for the key, in
  // whatever form and for whatever time, is under way.
  [[nodiscard]] Boarding start_unless_flying(const FlightKey& key, Landings seen,
                                             const FlightOptions& options);

  // Forgets the flight where it is still the one of this key. Call it after the answer was stored
  // and before the flight ends, so that every request finds the one or the other.
  void remove(const FlightKey& key, const Flight& flight);

 private:
  struct Hash {
    std::size_t operator()(const FlightKey& key) const { return key.key.hash(); }
  };
  struct alignas(64) Shard {
    mutable Mutex mu;
    std::unordered_map<FlightKey, std::shared_ptr<Flight>, Hash> flights LEC_GUARDED_BY(mu);
    std::atomic<Landings> landings = 0;  // written under mu
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(const KeyDigest& key) { return shards_[key.bytes.back() % kShards]; }
  const Shard& shard_of(const KeyDigest& key) const { return shards_[key.bytes.back() % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace llm_edge_cache::proxy
