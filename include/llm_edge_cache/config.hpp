// Options of the tiers. Plain aggregates: set what differs from the defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "llm_edge_cache/encryption_key.hpp"
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
  enum class ReadFrom : std::uint8_t {
    kPrimary,
    // A replica answers lookups where one is up, the primary otherwise. The primary also answers
    // those of a key that has changed within 5 s, as far as this process knows (`coherence`): a
    // replica that is late then brings back nothing that was removed.
    kReplica,
  };

  // redis://[[user]:password@]host[:port][/db], redis+unix://[[user]:password@]/path[?db=N],
  // redis+cluster://[[user]:password@]host[:port][,host[:port]..] or
  // redis+sentinel://[[user]:password@]host[:port][,host[:port]..]/master[/db]; with TLS rediss://,
  // rediss+cluster:// and rediss+sentinel://. Or disk:path, a folder of this machine that one
  // process holds at a time; what concerns a server (prefix, log-in, TLS) is of no effect there.
  std::string url = "redis://127.0.0.1:6379";
  std::string key_prefix = "llm_cache:";
  // An answer's life where store names none, and the longest that the tier keeps one.
  std::uint64_t ttl_ms = 3'600'000;
  std::uint64_t connect_timeout_ms = 1'000;
  std::uint64_t operation_timeout_ms = 100;

  // TLS of rediss://. The server's certificate must be of tls_server_name (empty: of the host that
  // is connected to) and signed by an authority of tls_ca_file (PEM; empty: by one of the system).
  std::string tls_ca_file{};
  std::string tls_cert_file{};  // PEM, with its chain: shown to a server that asks for one
  std::string tls_key_file{};   // PEM, not encrypted
  std::string tls_server_name{};
  // INSECURE: takes any certificate, so that anybody on the way can read and change all entries.
  bool tls_insecure_accept_any_certificate = false;

  // How to log in to the sentinels; the URL's credentials are for the servers they name.
  std::string sentinel_user{};
  std::string sentinel_password{};

  ReadFrom read_from = ReadFrom::kPrimary;  // kReplica: of a cluster or behind sentinels

  // Of Redis. True: processes that share the store (and its prefix and database) tell each other
  // what they replace and remove, over a connection of its own, so that no L1 answers with it.
  // False is for a store that one process uses, and for servers older than Redis 6.
  bool coherence = true;
  // Of Redis, for the proxy. Processes that share the store ask the provider once: the first holds
  // a lease of this long, which it renews while it waits for the answer. What a process that dies
  // costs the others. 0: each process asks for itself.
  std::uint64_t flight_lease_ms = 3'000;

  // Threads that do L2's I/O, and the pipelined connections each has to a server.
  std::size_t io_threads = 1;
  std::size_t connections_per_thread = 1;
  // Of Redis. How long a thread that waits for answers to lookups polls before it sleeps, as long
  // as that is worth it: an answer from nearby is there sooner than a sleeper is awake. 0: never.
  std::uint64_t busy_poll_us = 100;

  // Bounds of the write-behind queue; a write over either is dropped and counted.
  std::size_t max_pending_writes = 10'000;
  std::size_t max_pending_bytes = 64U << 20U;
  // How long destruction waits for pending writes.
  std::uint64_t shutdown_flush_ms = 1'000;

  // Consecutive failures that open the circuit breaker, and how long it stays open before one
  // probe is let through.
  std::uint32_t breaker_failures = 3;
  std::uint64_t breaker_open_ms = 1'000;

  // Reconnects, and attempts at a folder that cannot be used, wait a random time up to a bound that
  // doubles from the first to the second.
  std::uint64_t reconnect_min_ms = 50;
  std::uint64_t reconnect_max_ms = 5'000;

  // Larger answers are not sent to L2, and larger replies are refused.
  std::size_t max_entry_bytes = 8U << 20U;

  // Entries are encrypted (AES-256-GCM) where there is a key, given or in a file. Those of the old
  // key are read, not written. What is not encrypted, or with neither, is a miss then; so is what
  // somebody moved under another entry's key.
  std::optional<EncryptionKey> encryption_key{};
  std::optional<EncryptionKey> encryption_old_key{};
  std::string encryption_key_file{};
  std::string encryption_old_key_file{};

  // Entries are compressed where they have more bytes and that makes them shorter (zstd, and LZ4
  // for short ones in a folder); with the dictionary where there is one (`llm-edge-cache dict
  // train`). Those of the old dictionary are read, not written. 0 is 1,024 bytes, and 4,096 for
  // Redis without a dictionary, where a lookup would spend most of its time on decompression.
  std::size_t compress_over_bytes = 0;
  std::string dictionary_file{};
  std::string old_dictionary_file{};

  // Of disk: alone. Bytes of the folder, the oldest entries leave first (at least 16 MiB, and twice
  // max_entry_bytes); and bytes of blocks, indexes and filters kept in memory.
  std::uint64_t disk_max_bytes = 4ULL << 30U;
  std::uint64_t disk_cache_bytes = 64ULL << 20U;

  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;
};

}  // namespace llm_edge_cache
