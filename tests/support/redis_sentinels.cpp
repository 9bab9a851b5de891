#include "tests/support/redis_sentinels.hpp"

#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {

RedisSentinels::RedisSentinels(const MutualTls& tls, const std::string& sentinel_password)
    : is_tls_(tls.is_on()) {
  std::size_t number = 0;
  const auto make = [&](RedisServerOptions options) {
    tls.apply_to(options, number++);
    return std::make_unique<RedisServer>(std::move(options));
  };
  for (auto& server : servers_) server = make({.extra_args = {"--repl-diskless-sync-delay", "0"}});
  const std::string port = std::to_string(servers_[0]->port());
  servers_[1]->command({"REPLICAOF", "127.0.0.1", port});
  for (auto& sentinel : sentinels_) {
    sentinel = make({.sentinel = true, .password = sentinel_password});
    if (!sentinel_password.empty()) {
      sentinel->command({"SENTINEL", "CONFIG", "SET", "sentinel-pass", sentinel_password});
    }
    sentinel->command({"SENTINEL", "MONITOR", "mymaster", "127.0.0.1", port, "2"});
    sentinel->command({"SENTINEL", "SET", "mymaster", "down-after-milliseconds", "1000"});
    sentinel->command({"SENTINEL", "SET", "mymaster", "failover-timeout", "5000"});
  }
  const bool known = eventually([this] {
    for (auto& sentinel : sentinels_) {
      const std::string info = sentinel->command({"INFO", "sentinel"});
      if (info.find("slaves=1,sentinels=3") == std::string::npos) return false;
    }
    return true;
  });
  if (!known) throw std::runtime_error("the sentinels do not know each other");
}

void RedisSentinels::be_patient() {
  for (const auto& sentinel : sentinels_) {
    sentinel->command({"SENTINEL", "SET", "mymaster", "down-after-milliseconds", "60000"});
  }
}

std::string RedisSentinels::url() const {
  std::string url = is_tls_ ? "rediss+sentinel://" : "redis+sentinel://";
  for (const auto& sentinel : sentinels_) {
    if (sentinel != sentinels_.front()) url += ',';
    url += "127.0.0.1:" + std::to_string(sentinel->port());
  }
  return url + "/mymaster";
}

std::size_t RedisSentinels::master() {
  const std::string address =
      sentinels_[2]->command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"});
  return address == "127.0.0.1 " + std::to_string(servers_[1]->port()) ? 1 : 0;
}

void RedisSentinels::fail_over() {
  const std::size_t before = master();
  if (!eventually([this] {
        return sentinels_[2]->command({"SENTINEL", "FAILOVER", "mymaster"}) == "OK";
      }) ||
      !eventually([&] { return master() != before; })) {
    throw std::runtime_error("the sentinels did not fail over");
  }
}

}  // namespace llm_edge_cache::test
