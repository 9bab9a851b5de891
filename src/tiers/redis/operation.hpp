// One command on its way to Redis: what to send, and what to do with the answer.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/resp_parser.hpp"

namespace llm_edge_cache::redis {

using TimePoint = std::chrono::steady_clock::time_point;

// Threads: made on any thread, then owned by one connection and used on its thread alone. Ends by
// exactly one call of complete() or fail(), or by an append_to() that returned false.
class Operation {
 public:
  Operation() = default;
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Appends the command in RESP. False: there is nothing to send any more, and nothing to report.
  virtual bool append_to(std::string& out) = 0;

  // The answer, never an error. False, with nothing done, where this command cannot be answered
  // so: the answer must be another's. fail() follows, and the connection is closed.
  virtual bool complete(RespReply reply) = 0;

  // There is no answer, or it was an error (kProtocol, with the server's text).
  virtual void fail(const Error& error) = 0;

  // For an operation that queues behind writes: whether someone waits for its outcome until
  // `deadline`, and how they are told that they wait in vain. It is sent all the same, if its
  // append_to() then still has something to send.
  [[nodiscard]] virtual bool waited_for() const { return false; }
  virtual void stop_waiting(const Error& /*error*/) {}

  // When the answer comes too late.
  TimePoint deadline{};
};

using OperationPtr = std::unique_ptr<Operation>;

}  // namespace llm_edge_cache::redis
