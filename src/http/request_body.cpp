#include "http/request_body.hpp"

#include <utility>

namespace llm_edge_cache::http {

void RequestBody::begin(bool has_body) {
  forget();
  bytes_ = 0;
  state_ = has_body ? State::kUnclaimed : State::kDone;
}

void RequestBody::keep() {
  if (!at_hand_ || state_ != State::kUnclaimed) return;
  whole_ = *at_hand_;
  at_hand_ = whole_;
}

bool RequestBody::deliver_at_hand() {
  const std::string kept = std::exchange(whole_, {});
  const std::string_view bytes = kept.empty() ? *at_hand_ : std::string_view(kept);
  at_hand_.reset();
  return take_last(bytes);
}

void RequestBody::claim(Exchange::BodySink sink, std::size_t max_bytes, TimePoint now) {
  sink_ = std::make_shared<Exchange::BodySink>(std::move(sink));
  start(max_bytes, now);
}

void RequestBody::claim(std::shared_ptr<BodyReceiver> receiver, std::size_t max_bytes,
                        TimePoint now) {
  receiver_ = std::move(receiver);
  start(max_bytes, now);
}

void RequestBody::start(std::size_t max_bytes, TimePoint now) {
  max_bytes_ = max_bytes;
  state_ = State::kStreaming;
  clock_start_ = now;
  clocked_bytes_ = 0;
}

void RequestBody::discard(std::size_t max_bytes, TimePoint now) {
  forget();
  max_bytes_ = bytes_ + max_bytes;
  state_ = State::kDiscarding;
  clock_start_ = now;
  clocked_bytes_ = 0;
}

void RequestBody::pause() {
  if (state_ == State::kStreaming) state_ = State::kPaused;
}

void RequestBody::resume(TimePoint now) {
  if (state_ != State::kPaused) return;
  state_ = State::kStreaming;
  clock_start_ = now;
  clocked_bytes_ = 0;
}

bool RequestBody::count(std::size_t bytes) {
  bytes_ += bytes;
  clocked_bytes_ += bytes;
  return bytes_ <= max_bytes_;
}

bool RequestBody::take(std::string_view bytes) {
  if (!count(bytes.size())) return false;
  if (receiver_ != nullptr) whole_.append(bytes);
  if (const auto sink = sink_; sink && sink->on_data) sink->on_data(bytes);
  return true;
}

bool RequestBody::take_last(std::string_view bytes) {
  if (receiver_ == nullptr || !whole_.empty()) {
    if (!take(bytes)) return false;
    end({});
    return true;
  }
  if (!count(bytes.size())) return false;
  state_ = State::kDone;
  std::exchange(receiver_, nullptr)->on_body(bytes);
  return true;
}

void RequestBody::end(const Status& status) {
  state_ = State::kDone;
  if (const auto receiver = std::exchange(receiver_, nullptr)) {
    const std::string whole = std::exchange(whole_, {});
    if (!status.ok()) return receiver->on_body(status.error());
    return receiver->on_body(std::string_view(whole));
  }
  if (const auto sink = std::exchange(sink_, nullptr); sink && sink->on_end) sink->on_end(status);
}

void RequestBody::forget() {
  state_ = State::kDone;
  sink_.reset();
  receiver_.reset();
  at_hand_.reset();
  std::string().swap(whole_);  // clear() would keep the memory
}

std::chrono::milliseconds RequestBody::time_left(TimePoint now, Pace pace) const {
  const auto earned = std::chrono::milliseconds(static_cast<std::int64_t>(clocked_bytes_) * 1'000 /
                                                pace.min_bytes_per_second);
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_start_ + pace.grace + earned -
                                                               now);
}

}  // namespace llm_edge_cache::http
