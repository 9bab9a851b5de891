// Who waits for whose answer: the waits and the leases of one process.
//
// A state machine. It is told what came of its questions, what other processes said and what time
// it is, and says through its Actions what to ask the store and what to tell the others.
//
//   take     ask for the lease; whoever gets it makes the flight
//   wait     until the holder says "landed" or "not stored", or changed the key; every kAskAgain
//   the
//            lease is asked for again, which finds a holder that died and news that were lost
//   held     renewed at a third of its time, until it is dropped
//   dropped  released where the answer was not written under it, and the others are told
//
// Not thread-safe. Handlers run inside the calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/fleet.hpp"
#include "tiers/redis/fleet_message.hpp"
#include "tiers/redis/lease_operations.hpp"

namespace llm_edge_cache::redis {

class FlightDesk {
 public:
  static constexpr std::chrono::milliseconds kAskAgain{250};

  using Kind = LeaseOperation::Kind;
  // What came of a flight whose lease is given back.
  enum class Ending {
    kWritten,    // under the lease, which ended with it
    kLanded,     // the store has the answer
    kNotStored,  // it has none
  };
  // Gets the token of the lease where that was got.
  using Turn = std::function<void(FlightTurn::Kind, std::string token)>;

  struct Actions {
    std::function<void(Kind, const KeyDigest&, const std::string& token, LeaseOperation::Handler)>
        ask{};
    std::function<void(FleetMessage::Kind, const KeyDigest&)> tell{};  // the other processes
    std::function<std::string()> make_token{};
  };
  struct Counts {
    std::uint64_t leases = 0;
    std::uint64_t waits = 0;
    std::uint64_t waits_landed = 0;
    std::uint64_t takeovers = 0;
  };

  FlightDesk(Actions actions, std::chrono::milliseconds lease)
      : actions_(std::move(actions)), renew_after_(lease / 3) {}

  void take_turn(const KeyDigest& key, TimePoint now, Turn turn);
  void give_back(const KeyDigest& key, const std::string& token, Ending ending);
  // Heard of another process, or done by this one.
  void on_landed(const KeyDigest& key) { end_waits(key, FlightTurn::Kind::kLanded); }
  void on_not_stored(const KeyDigest& key) { end_waits(key, FlightTurn::Kind::kAlone); }
  // Asks again, and renews.
  void on_time(TimePoint now);
  // When on_time() has something to do; empty where nobody waits and nothing is held.
  [[nodiscard]] std::optional<TimePoint> next_time() const;
  // All who wait go alone.
  void close();

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Wait {
    KeyDigest key;
    Turn turn;
    std::string token;  // that it would hold the lease by
    TimePoint ask_at{};
    bool is_asking = false;
    bool has_waited = false;                    // for another's flight
    std::optional<FlightTurn::Kind> news = {};  // that came while it was asking
  };
  using Waits = std::list<Wait>;
  struct Held {
    KeyDigest key;
    TimePoint renew_at;
  };

  void ask(Waits::iterator wait, TimePoint now);
  void on_asked(std::uint64_t number, TimePoint now, const Result<bool>& acquired);
  void end(Waits::iterator wait, FlightTurn::Kind kind);
  void end_waits(const KeyDigest& key, FlightTurn::Kind kind);

  const Actions actions_;
  const std::chrono::milliseconds renew_after_;
  Counts counts_;
  Waits waits_;
  std::multimap<KeyDigest, Waits::iterator> by_key_;
  std::map<std::uint64_t, Waits::iterator> asking_;
  std::uint64_t questions_ = 0;
  std::map<std::string, Held> held_;  // by token
};

}  // namespace llm_edge_cache::redis
