// Asks Redis Sentinel who the master is, or who its replicas are
// (https://redis.io/docs/latest/develop/reference/sentinel-clients/).
//
// One sentinel an attempt, in turn after one that did not help: so that a dead or frozen one costs
// one attempt. Whether the server named is what it is named for is for its own ROLE to say.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/circuit_breaker.hpp"
#include "tiers/redis/link.hpp"
#include "tiers/redis/locator.hpp"

namespace llm_edge_cache::redis {

class SentinelLocator final : public Locator, private Link::Owner {
 public:
  struct Options {
    std::vector<ServerAddress> sentinels;
    std::string master;
    bool names_replica = false;  // one of the master's that are well, in turn
    Session::Options session;    // of the sentinels
    LinkTls tls;
    std::size_t first = 0;  // index of the one to ask first
  };

  // The io_context outlives it.
  SentinelLocator(boost::asio::io_context& context, Options options);
  ~SentinelLocator() override { cancel(); }

  void locate(Handler handler) override;
  void cancel() override;

  // The answer to SENTINEL GET-MASTER-ADDR-BY-NAME; kProtocol where it names no server.
  [[nodiscard]] static Result<ServerAddress> parse(RespReply reply);
  // The answer to SENTINEL REPLICAS: those that the sentinel can reach and that can reach their
  // master, sorted; kUnavailable where there is none.
  [[nodiscard]] static Result<std::vector<ServerAddress>> parse_replicas(RespReply reply);

 private:
  class Question;

  void on_received() override;
  void on_written() override;
  void on_lost(const Error& error) override;
  void finish(Result<ServerAddress> result);
  [[nodiscard]] Result<ServerAddress> choose_from(RespReply reply);

  boost::asio::io_context& context_;
  const Options options_;
  std::size_t asked_;   // index of the sentinel
  std::size_t chosen_;  // of the replica
  CircuitBreaker breaker_{{}};
  Handler handler_;
  std::shared_ptr<Link> link_;
};

}  // namespace llm_edge_cache::redis
