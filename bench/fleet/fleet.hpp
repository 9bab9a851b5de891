// Three proxies on one cluster of six, with the tests' means.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::bench {

using Clock = std::chrono::steady_clock;

[[nodiscard]] double ms_since(Clock::time_point start);

// A chat request as bytes, its prompt its tag.
[[nodiscard]] std::string chat_bytes(const std::string& prompt, bool only_if_cached);

// One proxy, with a connection to it that is kept, and another to its admin listener.
class Node {
 public:
  explicit Node(std::vector<std::string> arguments)
      : program_(std::move(arguments)),
        client_(program_.address("listen")),
        admin_(program_.address("admin")) {}

  test::Answer ask(const std::string& prompt, bool only_if_cached) {
    return exchange(client_, chat_bytes(prompt, only_if_cached));
  }
  [[nodiscard]] bool has(const std::string& prompt) { return ask(prompt, true).status == 200; }
  // Throws where it is refused.
  void purge(const nlohmann::json& what);
  [[nodiscard]] bool is_listening();
  [[nodiscard]] std::string address() const { return program_.address("listen"); }

 private:
  static test::Answer exchange(test::RawClient& client, const std::string& request);

  test::Program program_;
  test::RawClient client_;
  test::RawClient admin_;
};

struct Purge {
  double ms = 0;                 // from its answer until nobody had the prompt any more
  double longest_lookup_ms = 0;  // of those that asked
  double cpu_wait_ms = 0;        // that one process waited for a CPU meanwhile, the longest
};

class Fleet {
 public:
  static constexpr std::size_t kProxies = 3;

  Fleet();

  [[nodiscard]] std::string address(std::size_t number) const {
    return nodes_[number % kProxies]->address();
  }
  // The key of a prompt's answer, which is stored for it. Looks through all keys.
  [[nodiscard]] std::string key_of(const std::string& prompt);
  // Into the memory of every node.
  void spread(const std::string& prompt);
  Purge purge(std::size_t by, const nlohmann::json& what, const std::string& prompt);

 private:
  static void require(const std::function<bool()>& holds);
  [[nodiscard]] std::string stored_key(const std::string& part);

  test::TempDir folder_;
  test::RedisCluster cluster_;
  test::Program provider_{{"mock-provider", "--listen", "127.0.0.1:0"}};
  std::array<std::unique_ptr<Node>, kProxies> nodes_;
};

}  // namespace llm_edge_cache::bench
