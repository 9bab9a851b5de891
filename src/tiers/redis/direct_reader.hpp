// Lookups on the thread of a caller who waits for them: it writes to the server and reads the
// answer itself. The pipelined connection answers many callers at a time, but each of them waits
// for two threads to wake up in turn; a single caller is served twice as fast this way.
//
// Thread-safe. Holds kMaxLines connections to one server at most, without TLS.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/thread_annotations.hpp"
#include "tiers/redis/server_address.hpp"
#include "tiers/redis/session.hpp"

namespace llm_edge_cache::redis {

class DirectReader {
 public:
  static constexpr std::size_t kMaxLines = 4;

  struct Options {
    ServerAddress address;  // numeric, or of a unix socket: names are not resolved
    Session::Options session{};
    std::chrono::milliseconds operation_timeout{100};  // of connecting, too
    std::chrono::milliseconds retry_after{1'000};      // a failure
  };

  explicit DirectReader(Options options);
  ~DirectReader();

  // True: the operation has ended. False: not this way now (all connections are busy, or there is
  // none); the operation is as it was. Returns within the operation timeout; where it had to
  // connect first and could not, too.
  [[nodiscard]] bool try_run(Operation& operation) LEC_EXCLUDES(mutex_);

 private:
  class Line;

  std::unique_ptr<Line> take_line() LEC_EXCLUDES(mutex_);
  void give_back(std::unique_ptr<Line> line) LEC_EXCLUDES(mutex_);
  void give_up() LEC_EXCLUDES(mutex_);

  const Options options_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Line>> idle_ LEC_GUARDED_BY(mutex_);
  std::size_t open_ LEC_GUARDED_BY(mutex_) = 0;
  TimePoint retry_at_ LEC_GUARDED_BY(mutex_){};
};

}  // namespace llm_edge_cache::redis
