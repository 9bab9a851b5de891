// What a tier has to tell its operator, for a log of the application's choice.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/thread_annotations.hpp"

namespace llm_edge_cache {

enum class TierEventKind : std::uint8_t {
  kConnected,       // the store, a server or a folder, is in use
  kConnectFailed,   // unreachable, refuses us, or is not what it should be
  kConnectionLost,  // after it had been established
  kCorruptEntry,    // stored bytes that did not verify, deleted
  kStoreError,      // what it answered is an error: OOM and READONLY of Redis, a full disk
  kWriteDropped,    // the write-behind queue is full, or an entry too large
};
inline constexpr std::size_t kTierEventKinds = 6;

[[nodiscard]] std::string_view to_string(TierEventKind kind);

struct TierEvent {
  TierEventKind kind = TierEventKind::kConnected;
  std::string message;           // one sentence, without secrets
  std::uint64_t suppressed = 0;  // events of this kind since the last one that was told
};

// Called on any thread, and on several at a time; must not block.
using TierEventSink = std::function<void(const TierEvent&)>;

// Passes on one event of each kind a minute, and counts the others. Thread-safe.
class TierEventLog {
 public:
  static constexpr std::chrono::minutes kInterval{1};
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit TierEventLog(TierEventSink sink) : sink_(std::move(sink)) {}

  void report(TierEventKind kind, std::string message, TimePoint now) LEC_EXCLUDES(mutex_);

 private:
  struct Last {
    bool told = false;
    TimePoint at{};
    std::uint64_t suppressed = 0;
  };

  const TierEventSink sink_;
  Mutex mutex_;
  std::array<Last, kTierEventKinds> last_ LEC_GUARDED_BY(mutex_);
};

}  // namespace llm_edge_cache
