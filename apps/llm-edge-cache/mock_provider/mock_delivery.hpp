// Sends one reply at the pace of a model that writes it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "http/exchange.hpp"
#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

struct MockPace {
  std::chrono::nanoseconds first_token{0};
  std::chrono::nanoseconds per_token{0};
};

// Keeps itself alive until the reply is sent or the client has gone. Everything happens on the
// exchange's thread.
class MockDelivery : public std::enable_shared_from_this<MockDelivery> {
 public:
  // on_abandoned is called where the client went before the end.
  static void start(std::shared_ptr<http::Exchange> exchange, MockReply reply, MockPace pace,
                    std::function<void()> on_abandoned);

  MockDelivery(std::shared_ptr<http::Exchange> exchange, MockReply reply, MockPace pace);

 private:
  using Clock = std::chrono::steady_clock;

  void wait_until(Clock::time_point due);
  void send_due();
  void send_body();
  void send_due_events();
  [[nodiscard]] Clock::time_point due(std::size_t piece) const;

  std::shared_ptr<http::Exchange> exchange_;
  MockReply reply_;
  MockPace pace_;
  Clock::time_point asked_;
  boost::asio::steady_timer timer_;
  std::size_t next_ = 0;
  // Itself, while the socket takes no more: neither the timer nor on_drain then holds it.
  std::shared_ptr<MockDelivery> blocked_;
};

}  // namespace llm_edge_cache::app
