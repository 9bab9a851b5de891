// One Redis server as a tier's I/O thread sees it: connected for good, and reconnected in the
// background with backoff; a gate that turns readers away at once while waiting would be vain.
//
// The gate is shut while there is no connection, while the circuit breaker is not closed, and while
// an answer is overdue: answers come in turn, so whatever were sent then would wait as well. A
// server that freezes therefore costs each caller at most one operation deadline, and only those
// callers who were already waiting. Probing is the connection's own business (PING), never a
// caller's. The gate is open until the first attempt has ended, so that a cache that was just made
// waits for its server like for any answer.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "core/circuit_breaker.hpp"
#include "tiers/common/atomic_counters.hpp"
#include "tiers/common/tier_event.hpp"
#include "tiers/redis/link.hpp"
#include "tiers/redis/locator.hpp"
#include "tiers/redis/write_lane.hpp"

namespace llm_edge_cache::redis {

class Connection final : private Link::Owner {
 public:
  struct Options {
    std::string name;       // for events; without secrets
    ServerAddress address;  // where there is no locator
    LinkTls tls;
    Session::Options session;
    CircuitBreaker::Options breaker;
    Backoff::Options backoff;
    std::chrono::milliseconds connect_timeout{1'000};  // name resolution and log-in included
    std::chrono::milliseconds operation_timeout{100};
    std::uint64_t seed = 0;  // of the jitter
    // The first attempt after a session that has answered goes without waiting for the backoff.
    bool retries_at_once = false;
    // Asked before every attempt; null: the address is known.
    std::unique_ptr<Locator> locator{};
    Redirector* redirector = nullptr;
    // The gate has opened or shut. Must not call back.
    std::function<void()> on_gate{};
    // A session is ready; or one, or an attempt at one, is lost. Must not call back.
    std::function<void(bool is_up)> on_link{};
  };
  enum class Order {
    kAtOnce,        // as soon as possible; fails at once while the gate is shut
    kBehindWrites,  // after all that was submitted so before it, and held while the gate is shut
  };

  // The io_context is run by one thread; it, the log and the counters outlive the connection, which
  // may be destroyed once the handlers that its stop() left behind have run.
  Connection(boost::asio::io_context& context, Options options, TierEventLog& events,
             AtomicCounters& counters);

  // On the context's thread:
  void start();
  // Fails all that is outstanding.
  void stop(const Error& error);
  // At once: the deadline of the operation runs. Behind writes: it is for whoever waits for it
  // (Operation::waited_for); once it is sent, it has the operation deadline. settle() follows.
  void submit(OperationPtr operation, Order order, TimePoint now);
  // Sends what can be sent, publishes the gate, sets the timer: after anything that happened.
  void settle();
  // Gives the connection up for another, which it looks for at once; settle() follows.
  void drop(const Error& error);
  // The writes that wait, to be sent elsewhere.
  [[nodiscard]] std::vector<OperationPtr> take_waiting();
  // Commands sent and not answered.
  [[nodiscard]] std::size_t outstanding() const {
    return link_ == nullptr ? 0 : link_->session().outstanding();
  }
  [[nodiscard]] bool is_ready() const { return state_ == State::kReady && gate_open(); }

  // Any thread:
  [[nodiscard]] bool accepting() const { return accepting_.load(std::memory_order_acquire); }
  [[nodiscard]] BreakerState breaker() const {
    return breaker_state_.load(std::memory_order_acquire);
  }

 private:
  enum class State { kConnecting, kReady, kWaiting, kStopped };

  void on_received() override;
  void on_written() override;
  void on_lost(const Error& error) override;

  void begin_attempt();
  void connect(const ServerAddress& address);
  void become_ready(TimePoint now);
  void lose(const Error& error);
  void send_probe(TimePoint now);
  void send_writes(TimePoint now);
  [[nodiscard]] bool gate_open() const;
  void publish_gate();
  void set_timer();
  [[nodiscard]] std::optional<TimePoint> next_wake() const;
  void on_timer();

  boost::asio::io_context& context_;
  const Options options_;
  TierEventLog& events_;
  AtomicCounters& counters_;
  std::atomic<bool> accepting_{true};
  std::atomic<BreakerState> breaker_state_{BreakerState::kClosed};

  State state_ = State::kWaiting;
  bool first_attempt_ = true;
  std::shared_ptr<Link> link_;       // null while waiting, and while the server is looked for
  std::vector<OperationPtr> early_;  // submitted while the first server is looked for
  // Of the last connection, until the next one has ended it.
  std::optional<ClientIdentity> predecessor_;
  CircuitBreaker breaker_;
  Backoff backoff_;
  WriteLane writes_;
  TimePoint attempt_deadline_{};
  TimePoint retry_at_{};
  TimePoint ready_since_{};
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> timer_set_for_;
};

}  // namespace llm_edge_cache::redis
