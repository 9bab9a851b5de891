// Fleet: what the processes that share one tier tell each other
// (docs/decisions/0008-one-channel-for-the-fleet.md).
//
//   coherence  whoever replaces or removes an answer in the shared tier says so; the others let go
//              of what their memory has under its key
//   flights    whoever is the first to ask the provider holds a lease; the others wait for the
//              answer to appear in the shared tier
//
// None of it is needed for a lookup: where the others cannot be reached, each process goes on
// alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/key_digest.hpp"
#include "core/entry.hpp"

namespace llm_edge_cache {

// Called on threads of the tier, one call at a time for one key; must not block.
class FleetListener {
 public:
  virtual ~FleetListener() = default;
  // Another process has written or removed the shared tier's answer under this key.
  virtual void on_changed(const KeyDigest& key) = 0;
  // So may all: they were removed, or news may have been missed.
  virtual void on_all_changed() = 0;
  // An own write was not the last: memory may have what the shared tier has not.
  virtual void on_overtaken(const KeyDigest& key) = 0;
};

// The right to ask the provider on behalf of the fleet, until it is destroyed. It is renewed
// meanwhile; a process that dies loses it within L2Config::flight_lease_ms.
class FlightLease {
 public:
  virtual ~FlightLease() = default;
  // The answer is in the shared tier, whoever wrote it: those who wait shall look there. Without
  // it, and without Fleet::put(), they are told that there will be none.
  virtual void note_landed() = 0;
};
using FlightLeasePtr = std::shared_ptr<FlightLease>;

struct FlightTurn {
  enum class Kind {
    kAlone,   // nobody to agree with, or no answer will come: ask the provider
    kLease,   // ask the provider for all, unless the shared tier has the answer by now
    kLanded,  // another's answer has been stored: look there
  };
  Kind kind = Kind::kAlone;
  FlightLeasePtr lease{};  // kLease
};

// Counts since the start, and values of now.
struct FleetReport {
  bool has_channel = false;
  bool is_listening = false;
  std::uint64_t sent = 0;          // messages that the store took
  std::uint64_t received = 0;      // of others
  std::uint64_t unreadable = 0;    // not of our form
  std::uint64_t overflows = 0;     // keys that waited were given up for one message that says "all"
  std::uint64_t losses = 0;        // of the channel
  std::uint64_t l1_drops = 0;      // entries that memory let go of because another changed them
  std::uint64_t l1_clears = 0;     // times that it let go of all
  std::uint64_t leases = 0;        // flights that this process made for all
  std::uint64_t waits = 0;         // flights that waited for another process
  std::uint64_t waits_landed = 0;  // and found its answer
  std::uint64_t takeovers = 0;     // and got the lease that the other lost
  std::uint64_t superseded = 0;    // answers not stored: the lease had been lost
};

// Threads: every call from any thread.
class Fleet {
 public:
  using TurnHandler = std::function<void(FlightTurn)>;

  virtual ~Fleet() = default;

  // Once, before anything else; the listener outlives the tier. May take as long as the first
  // attempt at the channel, and a second at most.
  virtual void listen(FleetListener& listener) = 0;

  // The handler is called once: within one operation deadline of the store, or, where another
  // process holds the lease, as soon as its answer has come or will not come. Inside the call, or
  // on a thread of the tier.
  virtual void take_turn(const KeyDigest& key, TurnHandler handler) = 0;
  // As the tier's put(), where the lease still holds; an answer that comes after another process
  // took it over is not stored, and the listener is told.
  virtual void put(const KeyDigest& key, EntryPtr entry, FlightLeasePtr lease) = 0;

  [[nodiscard]] virtual FleetReport report() const = 0;
};

}  // namespace llm_edge_cache
