// Where the shared store is, of what kind, and how to log in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

struct RedisUrl {
  enum class Deployment {
    kServer,    // one
    kSentinel,  // the one that sentinels name as the master
    kCluster,   // all that a Redis Cluster consists of
  };
  static constexpr std::size_t kMaxServers = 64;

  Deployment deployment = Deployment::kServer;
  bool tls = false;
  // The server; or the sentinels; or those of the cluster that are asked first. Never empty.
  std::vector<ServerAddress> servers{{"127.0.0.1"}};
  std::string master{};    // the name by which sentinels know it
  std::string user{};      // empty: Redis's default user
  std::string password{};  // empty: no AUTH
  std::uint32_t database = 0;

  // redis://[[user]:password@]host[:port][/db]
  // redis+unix://[[user]:password@]/path[?db=N]
  // redis+cluster://[[user]:password@]host[:port][,host[:port]..]
  // redis+sentinel://[[user]:password@]host[:port][,host[:port]..]/master[/db]
  // and rediss://, rediss+cluster://, rediss+sentinel:// with TLS; user, password, path and master
  // percent-encoded (RFC 3986). A sentinel's port is 26379 unless stated. kInvalidArgument says
  // what is wrong, and never quotes anything that may be a secret.
  [[nodiscard]] static Result<RedisUrl> parse(std::string_view text);

  // For logs: the same URL, without the password.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const RedisUrl&, const RedisUrl&) = default;
};

}  // namespace llm_edge_cache::redis
