#include "bench/fleet/fleet.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "bench/fleet/cpu_wait.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr double kNeverMs = 20'000;

std::string request_of(std::string_view line, std::string_view fields, std::string_view body) {
  std::string text(line);
  text.append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n").append(fields);
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return text.append(body);
}

}  // namespace

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string chat_bytes(const std::string& prompt, bool only_if_cached) {
  const nlohmann::json body = {
      {"model", "gpt-4o"},
      {"messages", nlohmann::json::array({{{"role", "user"}, {"content", prompt}}})}};
  const std::string fields = "Authorization: Bearer sk-bench\r\nx-llm-cache-tags: " + prompt +
                             (only_if_cached ? "\r\nCache-Control: only-if-cached\r\n" : "\r\n");
  return request_of("POST /v1/chat/completions", fields, body.dump());
}

void Node::purge(const nlohmann::json& what) {
  const test::Answer answer = exchange(admin_, request_of("POST /purge", "", what.dump()));
  if (answer.status != 200) throw std::runtime_error("purge: " + answer.body);
}

bool Node::is_listening() {
  const test::Answer answer = exchange(admin_, request_of("GET /stats", "", ""));
  return nlohmann::json::parse(answer.body)["fleet"]["channel_up"].get<bool>();
}

test::Answer Node::exchange(test::RawClient& client, const std::string& request) {
  client.send(request);
  auto answer = client.read_answer();
  if (!answer) throw std::runtime_error("a proxy did not answer");
  return *std::move(answer);
}

Fleet::Fleet() {
  cluster_.be_patient();
  const std::string secret = (folder_.path() / "secret").string();
  std::ofstream(secret) << "a secret of all three, long enough to be one\n";
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  for (auto& node : nodes_) {
    node = std::make_unique<Node>(
        test::serve_arguments(provider_.url(), {"--l2", cluster_.url(), "--l2-operation-timeout-ms",
                                                "20000", "--scope-secret-file", secret}));
    require([&] { return node->is_listening(); });
  }
}

// The answer's field shows a part of the key.
std::string Fleet::key_of(const std::string& prompt) {
  const std::string part = nodes_[0]->ask(prompt, false).field("x-llm-cache-key");
  std::string key;
  require([&] { return !(key = stored_key(part)).empty(); });
  return key;
}

void Fleet::spread(const std::string& prompt) {
  for (const auto& node : nodes_) {
    require([&] {
      const std::string status = node->ask(prompt, false).field("cache-status");
      return status.find("detail=l1") != std::string::npos;
    });
  }
}

Purge Fleet::purge(std::size_t by, const nlohmann::json& what, const std::string& prompt) {
  const CpuWait wait;
  nodes_[by]->purge(what);
  Purge result;
  const auto told = Clock::now();
  for (std::size_t step = 1; step < kProxies; ++step) {
    Node& other = *nodes_[(by + step) % kProxies];
    for (bool has = true; has;) {
      const auto asked = Clock::now();
      has = other.has(prompt);
      result.longest_lookup_ms = std::max(result.longest_lookup_ms, ms_since(asked));
      if (ms_since(told) > kNeverMs) throw std::runtime_error("a proxy never heard");
    }
  }
  result.ms = ms_since(told);
  result.cpu_wait_ms = wait.longest_ms();
  return result;
}

void Fleet::require(const std::function<bool()>& holds) {
  if (!test::eventually(holds)) throw std::runtime_error("the fleet did not come up");
}

std::string Fleet::stored_key(const std::string& part) {
  for (std::size_t i = 0; i < test::RedisCluster::kPrimaries; ++i) {
    std::istringstream keys(cluster_.node(i).command({"KEYS", "llm_cache:" + part + "*"}));
    std::string key;
    if (keys >> key) return key.substr(key.find(':') + 1);
  }
  return {};
}

}  // namespace llm_edge_cache::bench
