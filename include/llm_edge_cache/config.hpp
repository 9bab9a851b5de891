// Options of the tiers. Plain aggregates: set what differs from the defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

struct L1Config {
  std::size_t max_entries = 1'000;
  std::size_t max_bytes = 256U << 20U;  // keys, answers and the tier's own structures
  std::uint64_t ttl_ms = 300'000;       // 0: no limit
  std::uint64_t tti_ms = 120'000;       // since the last read; 0: no limit

  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;
};

struct L2Config {
  // redis://[[user]:password@]host[:port][/db] or redis+unix://[[user]:password@]/path[?db=N].
  std::string url = "redis://127.0.0.1:6379";
  std::string key_prefix = "llm_cache:";
  std::uint64_t ttl_ms = 3'600'000;  // an answer's life where store names none; no cap
  std::uint64_t connect_timeout_ms = 1'000;
  std::uint64_t operation_timeout_ms = 100;

  // Threads that do L2's I/O, each with one pipelined connection.
  std::size_t io_threads = 1;

  // Bounds of the write-behind queue; a write over either is dropped and counted.
  std::size_t max_pending_writes = 10'000;
  std::size_t max_pending_bytes = 64U << 20U;
  // How long destruction waits for pending writes.
  std::uint64_t shutdown_flush_ms = 1'000;

  // Consecutive failures that open the circuit breaker, and how long it stays open before one
  // probe is let through.
  std::uint32_t breaker_failures = 3;
  std::uint64_t breaker_open_ms = 1'000;

  // Reconnects wait a random time up to a bound that doubles from the first to the second.
  std::uint64_t reconnect_min_ms = 50;
  std::uint64_t reconnect_max_ms = 5'000;

  // Larger answers are not sent to L2, and larger replies are refused.
  std::size_t max_entry_bytes = 8U << 20U;

  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;
};

}  // namespace llm_edge_cache
