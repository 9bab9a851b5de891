// A master, its replica, and three sentinels that watch them.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::test {

class RedisSentinels {
 public:
  // Returns when the sentinels know each other and the replica. A password is asked for by the
  // sentinels where it is not empty.
  explicit RedisSentinels(const MutualTls& tls = {}, const std::string& sentinel_password = {});

  // From here on no server is taken for dead: for what is not about failover, on a busy machine.
  void be_patient();
  // redis+sentinel://..../mymaster or rediss+sentinel://..../mymaster
  [[nodiscard]] std::string url() const;
  [[nodiscard]] RedisServer& server(std::size_t index) { return *servers_[index]; }
  [[nodiscard]] RedisServer& sentinel(std::size_t index) { return *sentinels_[index]; }
  // The index of the server that the sentinels call the master.
  [[nodiscard]] std::size_t master();
  // By the sentinels' order; returns when they name the other server.
  void fail_over();

 private:
  const bool is_tls_;
  std::array<std::unique_ptr<RedisServer>, 2> servers_;
  std::array<std::unique_ptr<RedisServer>, 3> sentinels_;
};

}  // namespace llm_edge_cache::test
