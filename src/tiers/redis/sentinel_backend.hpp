// A master that sentinels name, and one of its replicas that answers lookups.
//
// The replica is asked while there is a connection to it and its link to the master is up, by its
// own ROLE, at log-in and every kReplicaCheck; else the master is, as it is for all but lookups.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "tiers/redis/backend.hpp"

namespace llm_edge_cache::redis {

class SentinelBackend final : public Backend, private Redirector {
 public:
  static constexpr std::chrono::milliseconds kReplicaCheck{1'000};

  // The replica's redirector is set here. The log and the counters outlive it.
  SentinelBackend(boost::asio::io_context& context, Connection::Options master,
                  Connection::Options replica, TierEventLog& events, AtomicCounters& counters);

  [[nodiscard]] bool accepting() const override {
    return master_.accepting() || replica_.accepting();
  }
  // The master's.
  [[nodiscard]] BreakerState breaker() const override { return master_.breaker(); }
  [[nodiscard]] std::vector<std::optional<ServerAddress>> keyspaces() const override {
    return {std::nullopt};
  }

 private:
  class RoleQuestion;

  void on_start() override;
  void on_stop() override;
  void receive(std::vector<Mailbox::Item>& items) override;
  bool take_back(OperationPtr& operation, std::string_view error) override;

  void ask_at_once(OperationPtr operation);
  void send_on();
  void settle();
  void set_timer();
  void on_replica_unfit(const std::string& why);

  bool stopped_ = false;
  std::vector<OperationPtr> returned_;  // that the replica has refused
  boost::asio::steady_timer timer_;
  Connection master_;
  Connection replica_;
};

}  // namespace llm_edge_cache::redis
