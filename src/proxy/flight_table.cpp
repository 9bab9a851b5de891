#include "proxy/flight_table.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::proxy {

FlightTable::Landings FlightTable::landings(const KeyDigest& key) const {
  return shard_of(key).landings.load(std::memory_order_acquire);
}

FlightTable::Boarding FlightTable::join_or_start(const FlightKey& key, Landings seen,
                                                 const FlightOptions& options) {
  Shard& shard = shard_of(key.key);
  const MutexLock lock(shard.mu);
  const auto [at, is_new] = shard.flights.try_emplace(key);
  if (is_new) {
    at->second = std::make_shared<Flight>(options);
  }
  return {at->second, is_new, is_new && shard.landings.load(std::memory_order_relaxed) != seen};
}

FlightTable::Boarding FlightTable::start_unless_flying(const FlightKey& key, Landings seen,
                                                       const FlightOptions& options) {
  Shard& shard = shard_of(key.key);
  const MutexLock lock(shard.mu);
  if (shard.flights.bucket_count() > 0) {
    const auto bucket = shard.flights.bucket(key);  // the hash is that of the question alone
    if (std::any_of(shard.flights.begin(bucket), shard.flights.end(bucket),
                    [&](const auto& flying) { return flying.first.key == key.key; })) {
      return {};
    }
  }
  auto flight = std::make_shared<Flight>(options);
  shard.flights.emplace(key, flight);
  return {std::move(flight), true, shard.landings.load(std::memory_order_relaxed) != seen};
}

void FlightTable::remove(const FlightKey& key, const Flight& flight) {
  Shard& shard = shard_of(key.key);
  const MutexLock lock(shard.mu);
  const auto found = shard.flights.find(key);
  if (found != shard.flights.end() && found->second.get() == &flight) {
    shard.flights.erase(found);
    shard.landings.fetch_add(1, std::memory_order_release);
  }
}

}  // namespace llm_edge_cache::proxy
