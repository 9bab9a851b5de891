// How long the others of a fleet go on answering with what one of them was told to forget.
//
//   bench_fleet [INVALIDATES]
//
// Three proxies on one cluster of six, all answers in the memory of each. One proxy after the other
// takes a purge; the clock runs from its answer until each of the other two has answered a lookup
// (only-if-cached) with a miss. One client asks, one question at a time: what is measured includes
// the lookups, and a proxy that has heard before the purge's answer came counts with its lookup.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::bench {
namespace {

using Clock = std::chrono::steady_clock;
using test::Answer;
using test::Program;
using test::RawClient;

constexpr std::size_t kProxies = 3;
constexpr double kAimMs = 50;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string request_of(std::string_view line, std::string_view fields, std::string_view body) {
  std::string text(line);
  text.append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n").append(fields);
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return text.append(body);
}

// One proxy, with a connection to it that is kept, and another to its admin listener.
class Node {
 public:
  explicit Node(std::vector<std::string> arguments)
      : program_(std::move(arguments)),
        client_(program_.address("listen")),
        admin_(program_.address("admin")) {}

  Answer ask(const std::string& prompt, bool only_if_cached) {
    const nlohmann::json body = {
        {"model", "gpt-4o"},
        {"messages", nlohmann::json::array({{{"role", "user"}, {"content", prompt}}})}};
    const std::string fields = "Authorization: Bearer sk-bench\r\nx-llm-cache-tags: " + prompt +
                               (only_if_cached ? "\r\nCache-Control: only-if-cached\r\n" : "\r\n");
    return exchange(client_, request_of("POST /v1/chat/completions", fields, body.dump()));
  }
  [[nodiscard]] bool has(const std::string& prompt) { return ask(prompt, true).status == 200; }
  void purge(const nlohmann::json& what) {
    const Answer answer = exchange(admin_, request_of("POST /purge", "", what.dump()));
    if (answer.status != 200) throw std::runtime_error("purge: " + answer.body);
  }
  [[nodiscard]] bool is_listening() {
    const Answer answer = exchange(admin_, request_of("GET /stats", "", ""));
    return nlohmann::json::parse(answer.body)["fleet"]["channel_up"].get<bool>();
  }

 private:
  static Answer exchange(RawClient& client, const std::string& request) {
    client.send(request);
    auto answer = client.read_answer();
    if (!answer) throw std::runtime_error("a proxy did not answer");
    return *std::move(answer);
  }

  Program program_;
  RawClient client_;
  RawClient admin_;
};

class Fleet {
 public:
  Fleet() {
    const std::string secret = (folder_.path() / "secret").string();
    std::ofstream(secret) << "a secret of all three, long enough to be one\n";
    std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
    for (auto& node : nodes_) {
      node = std::make_unique<Node>(test::serve_arguments(
          provider_.url(), {"--l2", cluster_.url(), "--l2-operation-timeout-ms", "20000",
                            "--scope-secret-file", secret}));
      require([&] { return node->is_listening(); });
    }
  }

  // Into the memory of every node. Returns the answer's key, of which the field shows a part.
  std::string spread(const std::string& prompt) {
    const std::string part = nodes_[0]->ask(prompt, false).field("x-llm-cache-key");
    for (const auto& node : nodes_) {
      require([&] {
        const std::string status = node->ask(prompt, false).field("cache-status");
        return status.find("detail=l1") != std::string::npos;
      });
    }
    return stored_key(part);
  }

  // Milliseconds from the purge's answer until nobody has the prompt any more.
  double purge(std::size_t by, const nlohmann::json& what, const std::string& prompt) {
    nodes_[by]->purge(what);
    const auto told = Clock::now();
    for (std::size_t step = 1; step < kProxies; ++step) {
      Node& other = *nodes_[(by + step) % kProxies];
      while (other.has(prompt)) {
        if (ms_since(told) > 20'000) throw std::runtime_error("a proxy never heard");
      }
    }
    return ms_since(told);
  }

 private:
  static void require(const std::function<bool()>& holds) {
    if (!test::eventually(holds)) throw std::runtime_error("the fleet did not come up");
  }
  std::string stored_key(const std::string& part) {
    for (std::size_t i = 0; i < test::RedisCluster::kPrimaries; ++i) {
      std::istringstream keys(cluster_.node(i).command({"KEYS", "llm_cache:" + part + "*"}));
      std::string key;
      if (keys >> key) return key.substr(key.find(':') + 1);
    }
    throw std::runtime_error("an answer was not stored");
  }

  test::TempDir folder_;
  test::RedisCluster cluster_;
  Program provider_{{"mock-provider", "--listen", "127.0.0.1:0"}};
  std::array<std::unique_ptr<Node>, kProxies> nodes_;
};

void print(const char* name, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const auto late = std::count_if(ms.begin(), ms.end(), [](double one) { return one > kAimMs; });
  std::printf("%-24s %8zu %8.2f %8.2f %8.2f %10td\n", name, ms.size(), ms[ms.size() / 2],
              ms[ms.size() * 99 / 100], ms.back(), late);
}

void run(std::size_t invalidates) {
  Fleet fleet;
  std::vector<double> by_key;
  std::vector<double> by_tag;
  for (std::size_t i = 0; i < invalidates; ++i) {
    const std::string prompt = "question-" + std::to_string(i);
    by_key.push_back(fleet.purge(i % kProxies, {{"key", fleet.spread(prompt)}}, prompt));
    fleet.spread(prompt);
    by_tag.push_back(fleet.purge(i % kProxies, {{"tag", prompt}}, prompt));
  }
  std::printf("%-24s %8s %8s %8s %8s %10s\n", "ms until nobody has it", "purges", "p50", "p99",
              "max", "over 50 ms");
  print("by key", std::move(by_key));
  print("by tag", std::move(by_tag));
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  const int invalidates = argc > 1 ? std::atoi(argv[1]) : 200;
  if (invalidates < 1) {
    std::fprintf(stderr, "usage: bench_fleet [INVALIDATES >= 1]\n");
    return 2;
  }
  llm_edge_cache::bench::run(static_cast<std::size_t>(invalidates));
  return 0;
}
