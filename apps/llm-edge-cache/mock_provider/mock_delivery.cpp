#include "mock_provider/mock_delivery.hpp"

#include <string>
#include <utility>

#include "http/io_threads.hpp"

namespace llm_edge_cache::app {

namespace {

http::ResponseHead head_of(const MockReply& reply) {
  http::ResponseHead head;
  head.status = static_cast<std::uint16_t>(reply.status);
  head.headers.add("Content-Type", reply.content_type);
  if (reply.is_stream) head.headers.add("Cache-Control", "no-cache");
  if (reply.status == 429) head.headers.add("Retry-After", "1");
  return head;
}

}  // namespace

void MockDelivery::start(std::shared_ptr<http::Exchange> exchange, MockReply reply, MockPace pace,
                         std::function<void()> on_abandoned) {
  auto delivery = std::make_shared<MockDelivery>(exchange, std::move(reply), pace);
  exchange->on_disconnect([weak = std::weak_ptr(delivery), on_abandoned = std::move(on_abandoned)] {
    on_abandoned();
    const auto abandoned = weak.lock();
    if (abandoned == nullptr) return;
    abandoned->timer_.cancel();
    abandoned->blocked_.reset();
  });
  exchange->on_drain([weak = std::weak_ptr(delivery)] {
    const auto drained = weak.lock();
    if (drained == nullptr || drained->blocked_ == nullptr) return;
    drained->blocked_.reset();
    drained->send_due();
  });
  delivery->wait_until(delivery->due(0));
}

MockDelivery::MockDelivery(std::shared_ptr<http::Exchange> exchange, MockReply reply, MockPace pace)
    : exchange_(std::move(exchange)),
      reply_(std::move(reply)),
      pace_(pace),
      asked_(Clock::now()),
      timer_(exchange_->io_thread().context()) {}

// An event is a token; a body is there when its last token is written.
MockDelivery::Clock::time_point MockDelivery::due(std::size_t piece) const {
  const auto tokens = reply_.is_stream ? piece : reply_.tokens;
  return asked_ + std::chrono::duration_cast<Clock::duration>(
                      pace_.first_token + pace_.per_token * static_cast<std::int64_t>(tokens));
}

void MockDelivery::wait_until(Clock::time_point due) {
  if (due <= Clock::now()) return send_due();
  timer_.expires_at(due);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->send_due();
  });
}

void MockDelivery::send_due() {
  if (exchange_->ended()) return;
  if (reply_.is_stream) return send_due_events();
  send_body();
}

void MockDelivery::send_body() {
  auto body = reply_.body();
  auto head = head_of(reply_);
  if (!reply_.cut_in_the_middle) {
    return exchange_->respond(std::move(head), http::SharedBytes(std::move(body)));
  }
  head.headers.add("Content-Length", std::to_string(body.size()));
  exchange_->start(std::move(head));
  exchange_->write(std::string_view(body).substr(0, body.size() / 2));
  exchange_->finish();
}

void MockDelivery::send_due_events() {
  if (next_ == 0) exchange_->start(head_of(reply_));
  const auto end = reply_.cut_in_the_middle ? reply_.pieces.size() / 2 : reply_.pieces.size();
  while (next_ < end && due(next_) <= Clock::now()) {
    const auto result = exchange_->write(reply_.pieces[next_++]);
    if (result == http::WriteResult::kClosed) return;
    if (result == http::WriteResult::kQueued) {
      blocked_ = shared_from_this();
      return;
    }
  }
  if (next_ < end) return wait_until(due(next_));
  if (reply_.cut_in_the_middle) return exchange_->abort();
  exchange_->finish();
}

}  // namespace llm_edge_cache::app
