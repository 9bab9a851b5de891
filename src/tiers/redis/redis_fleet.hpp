// Fleet over a Redis: the channel, the leases, and what is between them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "base/thread_annotations.hpp"
#include "core/fleet.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/change_observer.hpp"
#include "tiers/redis/fleet_channel.hpp"
#include "tiers/redis/flight_desk.hpp"
#include "tiers/redis/held_lease.hpp"
#include "tiers/redis/tier_context.hpp"
#include "tiers/redis/write_watch.hpp"

namespace llm_edge_cache::redis {

// Threads: as Fleet and ChangeObserver say. The desk, the timer and what the channel calls are on
// the thread of the io_context, which has run out of work when the fleet is destroyed.
class RedisFleet final : public Fleet, public ChangeObserver {
 public:
  struct Options {
    std::function<Backend&(const KeyDigest&)> backend_of{};
    // Tier::put under a lease.
    std::function<void(const KeyDigest&, EntryPtr, std::shared_ptr<HeldLease>)> put{};
    // Null: no coherence.
    std::function<std::unique_ptr<FleetChannel>(FleetChannel::Options)> make_channel{};
  };

  RedisFleet(boost::asio::io_context& context, const TierContext& tier, Options options);

  // Waits for what was to be told, no longer than one operation deadline; then all who wait for
  // their turn go alone. On no thread of the tier.
  void stop();

  void listen(FleetListener& listener) override;
  void take_turn(const KeyDigest& key, TurnHandler handler) override;
  void put(const KeyDigest& key, EntryPtr entry, FlightLeasePtr lease) override;
  [[nodiscard]] FleetReport report() const override;
  [[nodiscard]] bool has_leases() const { return has_leases_; }

  void on_write_begun(const KeyDigest& key) override { writes_.begin(key); }
  void on_write_ended(const KeyDigest& key) override;
  void on_changed(const KeyDigest& key) override;
  void on_all_changed() override;
  void on_removed_late(const KeyDigest& key) override;
  void on_superseded(const KeyDigest& key) override;

 private:
  // What a lease that outlives the fleet finds of it.
  struct Door {
    Mutex mutex;
    RedisFleet* fleet LEC_GUARDED_BY(mutex) = nullptr;
  };

  [[nodiscard]] FleetChannel::Options channel_options();
  [[nodiscard]] FlightDesk::Actions desk_actions();
  void hear(const FleetMessage& message);
  void note_change_of_all();
  void give_back(const KeyDigest& key, const std::string& token, FlightDesk::Ending ending);
  [[nodiscard]] HeldLease::GiveBack giver_back() const;
  void set_timer();
  void publish_counts();
  void tell(FleetMessage::Kind kind, const KeyDigest& key);
  void tell_overtaken(const KeyDigest& key);

  boost::asio::io_context& context_;
  const TierContext& tier_;
  const Options options_;
  const bool has_leases_;
  const std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::function<void()> first_attempt_ended_;
  const std::unique_ptr<FleetChannel> channel_;  // null: no coherence
  std::atomic<FleetListener*> listener_{nullptr};
  WriteWatch writes_;
  std::atomic<std::uint64_t> superseded_{0};

  FlightDesk desk_;
  bool stopped_ = false;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> timer_set_for_;
  mutable Mutex counts_mutex_;
  FlightDesk::Counts counts_ LEC_GUARDED_BY(counts_mutex_);
};

}  // namespace llm_edge_cache::redis
