// One command on its way to Redis: what to send, and what to do with the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/resp_parser.hpp"
#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

using TimePoint = std::chrono::steady_clock::time_point;

[[nodiscard]] inline TimePoint now() {
  return std::chrono::steady_clock::now();
}

// What an operation fails with that the end of its tier cuts short.
[[nodiscard]] inline Error shutting_down() {
  return {ErrorCode::kCancelled, "redis: the cache is shutting down"};
}

// What a cluster's router keeps with an operation.
struct Routing {
  std::optional<ServerAddress> node{};  // the only one that can answer it; empty: its slot's
  bool asking = false;                  // told by ASK: the slot is on its way to that node
  bool primary_only = false;            // a replica has refused it
  std::uint8_t redirects = 0;
  std::shared_ptr<void> turn{};   // of a write among those of its slot; let go when it has ended
  std::shared_ptr<void> epoch{};  // of a write, for those who wait for all before them
};

// Threads: made on any thread, then owned by one connection and used on its thread alone. Ends by
// exactly one call of complete() or fail(), or by an append_to() that returned false.
class Operation {
 public:
  Operation() = default;
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Appends the command in RESP. False: there is nothing to send any more, and nothing to report.
  // Called again where a server sends the operation to another.
  virtual bool append_to(std::string& out) = 0;

  // The answer, never an error. False, with nothing done, where this command cannot be answered
  // so: the answer must be another's. fail() follows, and the connection is closed.
  virtual bool complete(RespReply reply) = 0;

  // There is no answer, or it was an error (kProtocol, with the server's text; kUnavailable where
  // that was of a master which is none any more).
  virtual void fail(const Error& error) = 0;

  // For an operation that queues behind writes: whether someone waits for its outcome until
  // `deadline`, and how they are told that they wait in vain. It is sent all the same, if its
  // append_to() then still has something to send.
  [[nodiscard]] virtual bool waited_for() const { return false; }
  virtual void stop_waiting(const Error& /*error*/) {}

  // The cluster slot of its key, where it has one.
  [[nodiscard]] virtual std::optional<std::uint16_t> slot() const { return std::nullopt; }
  // A replica's answer is as good.
  [[nodiscard]] virtual bool only_reads() const { return false; }

  // The store serves without it: that it is refused says nothing of other commands.
  [[nodiscard]] virtual bool is_optional() const { return false; }

  // When the answer comes too late.
  TimePoint deadline{};
  Routing routing{};
};

using OperationPtr = std::unique_ptr<Operation>;

}  // namespace llm_edge_cache::redis
