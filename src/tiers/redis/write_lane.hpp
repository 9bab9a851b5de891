// Writes that wait for their connection.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "tiers/redis/operation.hpp"

namespace llm_edge_cache::redis {

// Operations in the order they were asked for, held while the server is away. Those that somebody
// waits for are told when their deadline passes here, or at once when waiting is vain; they keep
// their place. Not thread-safe.
class WriteLane {
 public:
  void push(OperationPtr operation);
  // Must not be empty.
  [[nodiscard]] OperationPtr pop();
  [[nodiscard]] bool empty() const { return operations_.empty(); }
  [[nodiscard]] std::size_t size() const { return operations_.size(); }

  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  void expire(TimePoint now);
  void stop_waiting(const Error& error);
  // Fails and removes all.
  void close(const Error& error);

 private:
  std::deque<OperationPtr> operations_;
  std::deque<Operation*> waiting_;  // those of operations_ with waited_for(), in their order
};

}  // namespace llm_edge_cache::redis
