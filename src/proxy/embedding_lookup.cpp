#include "proxy/embedding_lookup.hpp"

#include <atomic>
#include <utility>
#include <vector>

namespace llm_edge_cache::proxy {
namespace {

// Gathers the answers of the shared store, which come on its threads and in any order.
class StoreLookups : public std::enable_shared_from_this<StoreLookups> {
 public:
  StoreLookups(ServicesPtr services, http::IoThread& thread, std::shared_ptr<EmbeddingBatch> batch,
               RequestDirectives directives, std::function<void()> done)
      : services_(std::move(services)),
        thread_(thread),
        batch_(std::move(batch)),
        directives_(std::move(directives)),
        done_(std::move(done)),
        slots_(batch_->missing()),
        found_(slots_.size()),
        outstanding_(slots_.size()) {}

  void start() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      services_->cache.lookup_l2(batch_->key_of(slots_[i]), {},
                                 [self = shared_from_this(), i](LookedUp found) {
                                   self->found_[i] = std::move(found);
                                   self->count_down();
                                 });
    }
  }

 private:
  void count_down() {
    if (outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      thread_.post([self = shared_from_this()] { self->finish(); });
    }
  }
  void finish() {
    const auto now_ms = services_->clock->now_ms();
    batch_->drop_too_old(directives_, now_ms);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      batch_->offer(slots_[i], found_[i], directives_, now_ms);
    }
    batch_->drop_disagreement();
    done_();
  }

  const ServicesPtr services_;
  http::IoThread& thread_;
  const std::shared_ptr<EmbeddingBatch> batch_;
  const RequestDirectives directives_;
  const std::function<void()> done_;
  const std::vector<EmbeddingBatch::Slot> slots_;
  std::vector<LookedUp> found_;  // element i is written by the handler of slot i alone
  std::atomic<std::size_t> outstanding_;
};

}  // namespace

void look_up_missing(ServicesPtr services, http::IoThread& thread,
                     std::shared_ptr<EmbeddingBatch> batch, RequestDirectives directives,
                     std::function<void()> done) {
  std::make_shared<StoreLookups>(std::move(services), thread, std::move(batch),
                                 std::move(directives), std::move(done))
      ->start();
}

}  // namespace llm_edge_cache::proxy
