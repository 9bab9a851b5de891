#include "http/request_body.hpp"

#include <utility>

namespace llm_edge_cache::http {

void RequestBody::begin(bool has_body) {
  sink_.reset();
  bytes_ = 0;
  state_ = has_body ? State::kUnclaimed : State::kDone;
}

void RequestBody::claim(Exchange::BodySink sink, std::size_t max_bytes, TimePoint now) {
  sink_ = std::make_shared<Exchange::BodySink>(std::move(sink));
  max_bytes_ = max_bytes;
  state_ = State::kStreaming;
  clock_start_ = now;
  clocked_bytes_ = 0;
}

void RequestBody::discard(std::size_t max_bytes, TimePoint now) {
  sink_.reset();
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

bool RequestBody::take(std::string_view bytes) {
  bytes_ += bytes.size();
  clocked_bytes_ += bytes.size();
  if (bytes_ > max_bytes_) return false;
  if (const auto sink = sink_; sink && sink->on_data) sink->on_data(bytes);
  return true;
}

void RequestBody::end(const Status& status) {
  state_ = State::kDone;
  if (const auto sink = std::exchange(sink_, nullptr); sink && sink->on_end) sink->on_end(status);
}

void RequestBody::forget() {
  state_ = State::kDone;
  sink_.reset();
}

std::chrono::milliseconds RequestBody::time_left(TimePoint now, Pace pace) const {
  const auto earned = std::chrono::milliseconds(static_cast<std::int64_t>(clocked_bytes_) * 1'000 /
                                                pace.min_bytes_per_second);
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_start_ + pace.grace + earned -
                                                               now);
}

}  // namespace llm_edge_cache::http
