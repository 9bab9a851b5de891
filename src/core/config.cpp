#include "llm_edge_cache/config.hpp"

#include <string>

namespace llm_edge_cache {
namespace {

// Collects the first complaint.
class Checker {
 public:
  Checker& require(bool holds, const char* complaint) {
    if (!holds && status_.ok()) {
      status_ = Error{ErrorCode::kInvalidArgument, complaint};
    }
    return *this;
  }
  [[nodiscard]] Status status() const { return status_; }

 private:
  Status status_;
};

constexpr std::size_t kMaxIoThreads = 256;
constexpr std::uint64_t kMinLeaseMs = 100;
constexpr std::uint64_t kMaxLeaseMs = 600'000;
constexpr std::uint64_t kMinDiskBytes = 16ULL << 20U;
constexpr std::uint64_t kMaxDiskBytes = 1ULL << 50U;
constexpr std::uint64_t kMinDiskCacheBytes = 1ULL << 20U;
constexpr std::size_t kMaxConnectionsPerThread = 64;
constexpr std::uint64_t kMaxBusyPollUs = 1'000;
// A hundred years: times are added to the clock's, which must not overflow.
constexpr std::uint64_t kMaxMillis = 100ULL * 366 * 24 * 3600 * 1000;

}  // namespace

Status L1Config::validate() const {
  return Checker()
      .require(max_entries > 0, "l1.max_entries must be at least 1")
      .require(max_bytes > 0, "l1.max_bytes must be at least 1")
      .require(ttl_ms <= kMaxMillis, "l1.ttl_ms must be at most a hundred years")
      .require(tti_ms <= kMaxMillis, "l1.tti_ms must be at most a hundred years")
      .status();
}

Status L2Config::validate() const {
  const bool is_disk = url.starts_with("disk:");
  const bool has_key = encryption_key || !encryption_key_file.empty();
  return Checker()
      .require(!url.empty(), "l2.url must not be empty")
      // clear_all() removes everything under the prefix.
      .require(!key_prefix.empty(), "l2.key_prefix must not be empty")
      .require(ttl_ms > 0 && ttl_ms <= kMaxMillis,
               "l2.ttl_ms must be at least 1 and at most a hundred years")
      .require(connect_timeout_ms > 0 && connect_timeout_ms <= kMaxMillis,
               "l2.connect_timeout_ms must be at least 1 and at most a hundred years")
      .require(operation_timeout_ms > 0 && operation_timeout_ms <= kMaxMillis,
               "l2.operation_timeout_ms must be at least 1 and at most a hundred years")
      .require(io_threads > 0 && io_threads <= kMaxIoThreads,
               "l2.io_threads must be between 1 and 256")
      .require(connections_per_thread > 0 && connections_per_thread <= kMaxConnectionsPerThread,
               "l2.connections_per_thread must be between 1 and 64")
      .require(busy_poll_us <= kMaxBusyPollUs, "l2.busy_poll_us must be at most 1,000")
      .require(flight_lease_ms == 0 ||
                   (flight_lease_ms >= kMinLeaseMs && flight_lease_ms <= kMaxLeaseMs),
               "l2.flight_lease_ms must be 0, or between 100 and 600,000")
      .require(tls_cert_file.empty() == tls_key_file.empty(),
               "l2.tls_cert_file and l2.tls_key_file go together")
      .require(max_pending_writes > 0, "l2.max_pending_writes must be at least 1")
      .require(max_pending_bytes > 0, "l2.max_pending_bytes must be at least 1")
      .require(shutdown_flush_ms <= kMaxMillis,
               "l2.shutdown_flush_ms must be at most a hundred years")
      .require(breaker_failures > 0, "l2.breaker_failures must be at least 1")
      .require(breaker_open_ms > 0 && breaker_open_ms <= kMaxMillis,
               "l2.breaker_open_ms must be at least 1 and at most a hundred years")
      .require(reconnect_min_ms > 0, "l2.reconnect_min_ms must be at least 1")
      .require(reconnect_max_ms >= reconnect_min_ms && reconnect_max_ms <= kMaxMillis,
               "l2.reconnect_max_ms must be at least reconnect_min_ms and at most a hundred years")
      .require(max_entry_bytes > 0, "l2.max_entry_bytes must be at least 1")
      .require(!encryption_key || encryption_key_file.empty(),
               "l2.encryption_key and l2.encryption_key_file exclude each other")
      .require(!encryption_old_key || encryption_old_key_file.empty(),
               "l2.encryption_old_key and l2.encryption_old_key_file exclude each other")
      .require(has_key || !encryption_old_key,
               "l2.encryption_old_key is of no use without l2.encryption_key")
      .require(has_key || encryption_old_key_file.empty(),
               "l2.encryption_old_key_file is of no use without l2.encryption_key_file")
      .require(old_dictionary_file.empty() || !dictionary_file.empty(),
               "l2.old_dictionary_file is of no use without l2.dictionary_file")
      .require(disk_max_bytes >= kMinDiskBytes && disk_max_bytes <= kMaxDiskBytes,
               "l2.disk_max_bytes must be at least 16 MiB and at most 1 PiB")
      .require(!is_disk || disk_max_bytes / 2 >= max_entry_bytes,
               "l2.disk_max_bytes must be at least twice l2.max_entry_bytes")
      .require(disk_cache_bytes >= kMinDiskCacheBytes && disk_cache_bytes <= kMaxDiskBytes,
               "l2.disk_cache_bytes must be at least 1 MiB and at most 1 PiB")
      .status();
}

}  // namespace llm_edge_cache
