#include "tiers/redis/server_backend.hpp"

namespace llm_edge_cache::redis {

void ServerBackend::on_start() {
  if (!stopped_) connection_.start();
}

void ServerBackend::on_stop() {
  stopped_ = true;
  connection_.stop(shutting_down());
}

void ServerBackend::receive(std::vector<Mailbox::Item>& items) {
  const TimePoint time = now();
  for (Mailbox::Item& item : items) {
    if (stopped_) {
      item.operation->fail(shutting_down());
    } else {
      connection_.submit(std::move(item.operation),
                         item.ordered ? Order::kBehindWrites : Order::kAtOnce, time);
    }
  }
  connection_.settle();
}

}  // namespace llm_edge_cache::redis
