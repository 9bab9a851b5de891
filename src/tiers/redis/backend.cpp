#include "tiers/redis/backend.hpp"

#include <boost/asio/post.hpp>

namespace llm_edge_cache::redis {

Backend::Backend(boost::asio::io_context& context, std::chrono::milliseconds operation_timeout)
    : context_(context),
      operation_timeout_(operation_timeout),
      mailbox_(context, [this](std::vector<Mailbox::Item>& items) { receive(items); }) {}

void Backend::start() {
  boost::asio::post(context_, [this] { on_start(); });
}

void Backend::stop() {
  boost::asio::post(context_, [this] {
    mailbox_.close();
    mailbox_.collect();
    on_stop();
  });
}

void Backend::submit(OperationPtr operation, Order order) {
  if (order == Order::kAtOnce) {
    operation->deadline = now() + operation_timeout_;
  }
  mailbox_.send({std::move(operation), order == Order::kBehindWrites});
}

}  // namespace llm_edge_cache::redis
