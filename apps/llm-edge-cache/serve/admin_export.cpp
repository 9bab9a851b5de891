#include "serve/admin_export.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "serve/admin_answer.hpp"
#include "serve/cache_walk.hpp"
#include "serve/entry_filter.hpp"
#include "serve/entry_line.hpp"

namespace llm_edge_cache::app {

namespace {

class Export : public std::enable_shared_from_this<Export> {
 public:
  Export(TieredCache& cache, ClockPtr clock, std::shared_ptr<http::Exchange> exchange,
         EntryFilter filter)
      : clock_(std::move(clock)),
        exchange_(std::move(exchange)),
        filter_(std::move(filter)),
        walk_(std::make_shared<CacheWalk>(cache)) {}

  void start() {
    // Nobody else holds the export while the socket takes no more; the exchange lets go of this
    // when it ends, however it does.
    exchange_->on_drain([self = shared_from_this()] {
      ++self->drains_;
      self->write();
    });
    http::ResponseHead head;
    head.headers.add("Content-Type", "application/x-ndjson");
    head.headers.add("Cache-Control", "no-store");
    exchange_->start(head);
    next_page();
  }

 private:
  void next_page() {
    if (exchange_->ended()) return;
    walk_->next([self = shared_from_this()](Result<std::vector<KeyedEntry>> page) {
      self->exchange_->post([self, page = std::move(page)]() mutable {
        if (!page.ok()) return self->exchange_->abort();
        if (page->empty()) return self->exchange_->finish();
        self->page_ = std::move(page).value();
        self->at_ = 0;
        self->write();
      });
    });
  }

  // Until the socket takes no more; then on_drain() goes on.
  void write() {
    // The exchange's write() may drain at once, and call back while it does.
    if (is_writing_ || at_ == page_.size()) return;
    is_writing_ = true;
    const auto now_ms = clock_->now_ms();
    while (at_ < page_.size()) {
      const KeyedEntry one = std::move(page_[at_++]);
      if (!filter_.matches(*one.entry, now_ms)) continue;
      const auto drains_before = drains_;
      const auto written = exchange_->write(to_line(one));
      if (written == http::WriteResult::kClosed) at_ = page_.size();
      const bool is_waiting = written == http::WriteResult::kQueued && drains_ == drains_before;
      if (is_waiting && at_ < page_.size()) break;
    }
    is_writing_ = false;
    if (at_ == page_.size()) next_page();
  }

  const ClockPtr clock_;
  const std::shared_ptr<http::Exchange> exchange_;
  const EntryFilter filter_;
  const std::shared_ptr<CacheWalk> walk_;
  std::vector<KeyedEntry> page_;
  std::size_t at_ = 0;
  bool is_writing_ = false;
  std::uint64_t drains_ = 0;
};

}  // namespace

void start_export(TieredCache& cache, ClockPtr clock, std::shared_ptr<http::Exchange> exchange) {
  auto filter = EntryFilter::of_query(exchange->head().query());
  if (!filter) return answer_error(*exchange, filter.error());
  std::make_shared<Export>(cache, std::move(clock), std::move(exchange), *std::move(filter))
      ->start();
}

}  // namespace llm_edge_cache::app
