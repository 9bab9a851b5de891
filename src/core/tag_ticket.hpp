// The generations of an answer's tags as they were when the answer was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"
#include "core/entry.hpp"
#include "core/removal_watch.hpp"

namespace llm_edge_cache {

// Thread-safe. Made by TieredCache::stamp(); what it waits for comes within L2's deadline.
class TagTicket {
 public:
  // Null: a tag was purged meanwhile, and nothing must be stored.
  using Ready = std::function<void(const std::vector<TagStamp>* stamps)>;

  // watches: of the tags' markers.
  explicit TagTicket(std::vector<std::string> tags, std::vector<RemovalWatchPtr> watches = {})
      : tags_(std::move(tags)),
        watches_(std::move(watches)),
        stamps_(tags_.size()),
        missing_(tags_.size()) {}

  [[nodiscard]] const std::vector<std::string>& tags() const { return tags_; }

  // Inside the call where all generations are known, else on the thread that brings the last.
  void when_ready(Ready ready) LEC_EXCLUDES(mutex_);
  // A tag was purged since.
  [[nodiscard]] bool is_void() LEC_EXCLUDES(mutex_);

  // Each tag once. A generation of 0: none may be used.
  void set(std::size_t index, const TagStamp& stamp) LEC_EXCLUDES(mutex_);

 private:
  [[nodiscard]] const std::vector<TagStamp>* outcome() const LEC_REQUIRES(mutex_) {
    return is_void_locked() ? nullptr : &stamps_;
  }
  [[nodiscard]] bool is_void_locked() const LEC_REQUIRES(mutex_);

  const std::vector<std::string> tags_;
  const std::vector<RemovalWatchPtr> watches_;
  Mutex mutex_;
  std::vector<TagStamp> stamps_ LEC_GUARDED_BY(mutex_);  // unchanged once none is missing
  std::size_t missing_ LEC_GUARDED_BY(mutex_);
  bool is_void_ LEC_GUARDED_BY(mutex_) = false;
  std::vector<Ready> waiting_ LEC_GUARDED_BY(mutex_);
};

using TagTicketPtr = std::shared_ptr<TagTicket>;

}  // namespace llm_edge_cache
