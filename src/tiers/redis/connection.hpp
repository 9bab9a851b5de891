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
#include <memory>
#include <optional>
#include <vector>

#include "tiers/common/backoff.hpp"
#include "tiers/common/circuit_breaker.hpp"
#include "tiers/common/tier_event.hpp"
#include "tiers/redis/link.hpp"
#include "tiers/redis/operation_queue.hpp"
#include "tiers/redis/write_lane.hpp"

namespace llm_edge_cache::redis {

class Connection final : private Link::Owner {
 public:
  struct Options {
    RedisUrl url;
    Session::Options session;
    CircuitBreaker::Options breaker;
    Backoff::Options backoff;
    std::chrono::milliseconds connect_timeout{1'000};  // name resolution and log-in included
    std::chrono::milliseconds operation_timeout{100};
    std::uint64_t seed = 0;  // of the jitter
  };

  // The io_context is run by one thread; it and the log outlive the connection, which may be
  // destroyed when the context has run out of work after stop().
  Connection(boost::asio::io_context& context, Options options, TierEventLog& events);

  // Any thread:
  void start();
  // Fails all that is outstanding with kCancelled, and what is submitted from then on.
  void stop();
  [[nodiscard]] bool accepting() const { return accepting_.load(std::memory_order_acquire); }
  [[nodiscard]] BreakerState breaker() const {
    return breaker_state_.load(std::memory_order_acquire);
  }
  // Sent as soon as possible; its deadline runs from now on. Fails at once while the gate is shut.
  void submit(OperationPtr operation);
  // Sent after all that was submitted in order before it, and held while the gate is shut; the
  // deadline it carries is for whoever waits for it (Operation::waited_for). Once it is sent, it
  // has the operation deadline.
  void submit_in_order(OperationPtr operation);

 private:
  enum class State { kConnecting, kReady, kWaiting, kStopped };

  void on_received() override;
  void on_written() override;
  void on_lost(const Error& error) override;

  void enqueue(OperationQueue::Item item);
  void drain();
  void connect();
  void become_ready(TimePoint now);
  void lose(const Error& error);
  void send_probe(TimePoint now);
  void send_writes(TimePoint now);
  // After anything that happened: sends what can be sent, publishes the gate, sets the timer.
  void settle();
  [[nodiscard]] bool gate_open() const;
  void publish_gate();
  void set_timer();
  [[nodiscard]] std::optional<TimePoint> next_wake() const;
  void on_timer();

  boost::asio::io_context& context_;
  const Options options_;
  TierEventLog& events_;
  OperationQueue queue_;
  std::atomic<bool> accepting_{true};
  std::atomic<BreakerState> breaker_state_{BreakerState::kClosed};

  // The rest belongs to the context's thread.
  State state_ = State::kWaiting;
  bool first_attempt_ = true;
  std::shared_ptr<Link> link_;  // null while waiting
  CircuitBreaker breaker_;
  Backoff backoff_;
  WriteLane writes_;
  std::vector<OperationQueue::Item> taken_;
  TimePoint attempt_deadline_{};
  TimePoint retry_at_{};
  TimePoint ready_since_{};
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> timer_set_for_;
};

}  // namespace llm_edge_cache::redis
