#include "serve/admin_import.hpp"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "serve/admin_answer.hpp"
#include "serve/entry_filter.hpp"
#include "serve/entry_line.hpp"

namespace llm_edge_cache::app {

namespace {

// Stored before the second store is waited for: well within what its queue takes.
constexpr std::size_t kFlushEntries = 64;
constexpr std::size_t kFlushBytes = 4U << 20U;

class Import : public std::enable_shared_from_this<Import> {
 public:
  Import(TieredCache& cache, ClockPtr clock, std::size_t max_line_bytes,
         std::shared_ptr<http::Exchange> exchange, EntryFilter filter)
      : cache_(cache),
        clock_(std::move(clock)),
        max_line_bytes_(max_line_bytes),
        exchange_(std::move(exchange)),
        filter_(std::move(filter)) {}

  void start() {
    exchange_->stream_body(
        {.on_data = [self = shared_from_this()](std::string_view bytes) { self->take(bytes); },
         .on_end =
             [self = shared_from_this()](const Status& end) {
               if (!end.ok()) return;  // answered by the server
               self->has_ended_ = true;
               self->read_lines();
             }});
  }

 private:
  void take(std::string_view bytes) {
    if (exchange_->ended()) return;
    buffer_ += bytes;
    read_lines();
  }

  void read_lines() {
    if (is_flushing_ || exchange_->ended()) return;
    std::size_t begin = 0;
    while (!exchange_->ended() && !is_due_for_flush()) {
      auto end = buffer_.find('\n', begin);
      if (end == std::string::npos) {
        if (!has_ended_ || begin == buffer_.size()) break;
        end = buffer_.size();  // the last line needs no end
      }
      read_line(std::string_view(buffer_).substr(begin, end - begin));
      begin = std::min(buffer_.size(), end + 1);
    }
    buffer_.erase(0, begin);
    go_on();
  }

  void go_on() {
    if (exchange_->ended()) return;
    const bool is_over = has_ended_ && buffer_.empty();
    if (is_due_for_flush() || (is_over && unflushed_entries_ > 0)) return flush();
    if (is_over) return finish();
    if (buffer_.size() > max_line_bytes_) fail("the line is too long");
  }

  [[nodiscard]] bool is_due_for_flush() const {
    return unflushed_entries_ >= kFlushEntries || unflushed_bytes_ >= kFlushBytes;
  }

  void read_line(std::string_view line) {
    ++line_number_;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    const auto read = entry_of_line(line);
    if (!read) return fail(read.error().message);
    const auto now_ms = clock_->now_ms();
    if (read->entry->end_ms() <= now_ms) {
      ++expired_;
    } else if (!filter_.matches(*read->entry, now_ms)) {
      ++filtered_;
    } else {
      auto ticket = cache_.stamp(read->entry->tags);
      cache_.store(read->key, read->entry, ticket);
      if (ticket != nullptr) tickets_.push_back(std::move(ticket));
      ++imported_;
      ++unflushed_entries_;
      unflushed_bytes_ += line.size();
    }
  }

  void flush() {
    is_flushing_ = true;
    exchange_->pause_body();
    // What waits for its tags has not been stored yet; its own wait came before this one.
    const auto missing = std::make_shared<std::atomic<std::size_t>>(tickets_.size() + 1);
    const auto count_down = [self = shared_from_this(), missing](const auto* /*stamps*/) {
      if (missing->fetch_sub(1) == 1) self->flush_l2();
    };
    for (const auto& ticket : std::exchange(tickets_, {})) ticket->when_ready(count_down);
    count_down(static_cast<const std::vector<TagStamp>*>(nullptr));
  }

  void flush_l2() {
    cache_.flush([self = shared_from_this()](Status flushed) {
      self->exchange_->post([self, flushed = std::move(flushed)] {
        self->is_flushing_ = false;
        self->unflushed_entries_ = 0;
        self->unflushed_bytes_ = 0;
        if (!flushed.ok()) return answer_error(*self->exchange_, flushed.error());
        self->exchange_->resume_body();
        self->read_lines();
      });
    });
  }

  void finish() {
    const nlohmann::ordered_json json = {
        {"imported", imported_}, {"expired", expired_}, {"filtered", filtered_}};
    answer(*exchange_, 200, kJson, json.dump() + "\n");
  }

  void fail(const std::string& why) {
    answer_error(*exchange_, 400, "invalid_line",
                 "line " + std::to_string(line_number_) + ": " + why + "; " +
                     std::to_string(imported_) + " entries were imported before it");
  }

  TieredCache& cache_;
  const ClockPtr clock_;
  const std::size_t max_line_bytes_;
  const std::shared_ptr<http::Exchange> exchange_;
  const EntryFilter filter_;
  std::string buffer_;
  bool has_ended_ = false;
  bool is_flushing_ = false;
  std::vector<TagTicketPtr> tickets_;  // of what has not been flushed
  std::size_t unflushed_entries_ = 0;
  std::size_t unflushed_bytes_ = 0;
  std::size_t line_number_ = 0;
  std::size_t imported_ = 0;
  std::size_t expired_ = 0;
  std::size_t filtered_ = 0;
};

}  // namespace

void start_import(TieredCache& cache, ClockPtr clock, std::size_t max_line_bytes,
                  std::shared_ptr<http::Exchange> exchange) {
  auto filter = EntryFilter::of_query(exchange->head().query());
  if (!filter) return answer_error(*exchange, filter.error());
  std::make_shared<Import>(cache, std::move(clock), max_line_bytes, std::move(exchange),
                           *std::move(filter))
      ->start();
}

}  // namespace llm_edge_cache::app
