// All keys on one server, or on the one that a locator finds.
#pragma once

#include "tiers/redis/backend.hpp"

namespace llm_edge_cache::redis {

class ServerBackend final : public Backend {
 public:
  // The log and the counters outlive it.
  ServerBackend(boost::asio::io_context& context, Connection::Options options, TierEventLog& events,
                AtomicCounters& counters)
      : Backend(context, options.operation_timeout),
        connection_(context, std::move(options), events, counters) {}

  [[nodiscard]] bool accepting() const override { return connection_.accepting(); }
  [[nodiscard]] BreakerState breaker() const override { return connection_.breaker(); }
  [[nodiscard]] std::vector<std::optional<ServerAddress>> keyspaces() const override {
    return {std::nullopt};
  }

 private:
  void on_start() override;
  void on_stop() override;
  void receive(std::vector<Mailbox::Item>& items) override;

  Connection connection_;
  bool stopped_ = false;
};

}  // namespace llm_edge_cache::redis
