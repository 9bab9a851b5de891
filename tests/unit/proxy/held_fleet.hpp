// A fleet whose turns come when the test says so.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "core/fleet.hpp"
#include "core/tier.hpp"

namespace llm_edge_cache::proxy::test {

class HeldFleet : public Fleet {
 public:
  class Lease final : public FlightLease {
   public:
    explicit Lease(HeldFleet& fleet) : fleet_(fleet) {}
    ~Lease() override { ++fleet_.given_back; }
    void note_landed() override { ++fleet_.landed; }

   private:
    HeldFleet& fleet_;
  };

  void listen(FleetListener& /*listener*/) override {}
  void take_turn(const KeyDigest& /*key*/, TurnHandler handler) override {
    const std::lock_guard lock(mutex_);
    ++asked;
    waiting_.push_back(std::move(handler));
  }
  void put(const KeyDigest& key, EntryPtr entry, FlightLeasePtr lease) override {
    ++written;
    lease.reset();
    if (tier != nullptr) tier->put(key, std::move(entry));
  }
  [[nodiscard]] FleetReport report() const override { return {}; }

  // To whoever waits for the longest.
  void give(FlightTurn::Kind kind) {
    TurnHandler handler;
    {
      const std::lock_guard lock(mutex_);
      handler = std::move(waiting_.front());
      waiting_.pop_front();
    }
    give_to(handler, kind);
  }
  void give_to_last(FlightTurn::Kind kind) {
    TurnHandler handler;
    {
      const std::lock_guard lock(mutex_);
      handler = std::move(waiting_.back());
      waiting_.pop_back();
    }
    give_to(handler, kind);
  }
  std::atomic<int> asked = 0;
  std::atomic<int> given_back = 0;
  std::atomic<int> landed = 0;
  std::atomic<int> written = 0;
  Tier* tier = nullptr;

 private:
  void give_to(const TurnHandler& handler, FlightTurn::Kind kind) {
    FlightTurn turn{.kind = kind};
    if (kind == FlightTurn::Kind::kLease) turn.lease = std::make_shared<Lease>(*this);
    handler(std::move(turn));
  }

  std::mutex mutex_;
  std::deque<TurnHandler> waiting_;
};

struct HasFleet {
  HeldFleet fleet_;
};

}  // namespace llm_edge_cache::proxy::test
