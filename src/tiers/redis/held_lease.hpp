// A lease that this process holds, and gives back when it is destroyed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "core/fleet.hpp"
#include "tiers/redis/flight_desk.hpp"

namespace llm_edge_cache::redis {

class HeldLease final : public FlightLease {
 public:
  using Ending = FlightDesk::Ending;
  // On the thread that lets go of it.
  using GiveBack = std::function<void(const KeyDigest&, const std::string& token, Ending)>;

  HeldLease(const KeyDigest& key, std::string token, GiveBack give_back)
      : key_(key), token_(std::move(token)), give_back_(std::move(give_back)) {}
  ~HeldLease() override { give_back_(key_, token_, ending_.load(std::memory_order_acquire)); }
  HeldLease(const HeldLease&) = delete;
  HeldLease& operator=(const HeldLease&) = delete;

  [[nodiscard]] const std::string& token() const { return token_; }
  void note_landed() override { ending_.store(Ending::kLanded, std::memory_order_release); }
  void note_written() { ending_.store(Ending::kWritten, std::memory_order_release); }

 private:
  const KeyDigest key_;
  const std::string token_;
  const GiveBack give_back_;
  std::atomic<Ending> ending_{Ending::kNotStored};
};

}  // namespace llm_edge_cache::redis
