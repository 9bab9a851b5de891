// Three proxies on one cluster of six: they agree, and ask the provider once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

class FleetTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> arguments(const Program& provider,
                                                   std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--l2", cluster_->url(), "--l2-operation-timeout-ms", "20000",
                             "--scope-secret-file", secret_file()});
    return serve_arguments(provider.url(), std::move(more));
  }
  [[nodiscard]] std::string secret_file() {
    const auto path = dir_.path() / "secret";
    if (!std::filesystem::exists(path)) {
      std::ofstream(path) << "a secret of all three, long enough to be one\n";
      std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    }
    return path.string();
  }
  static nlohmann::json stats(const Program& proxy) {
    return nlohmann::json::parse(get(proxy.address("admin"), "/stats").body);
  }
  static void wait_until_heard(const Program& proxy) {
    ASSERT_TRUE(eventually([&] { return stats(proxy)["fleet"]["channel_up"].get<bool>(); }));
  }
  static int calls(const Program& provider) {
    return nlohmann::json::parse(
        get(provider.address("listen"), "/mock/requests").body)["requests"];
  }
  static std::string status_of(const Program& proxy, const std::string& prompt) {
    return ask_chat(proxy.address("listen"), prompt).field("cache-status");
  }
  static std::string purge(const Program& proxy, std::vector<std::string> what) {
    what.insert(what.begin(), "purge");
    what.insert(what.end(), {"--admin", proxy.url("admin")});
    const auto ended = run_program(what);
    EXPECT_EQ(ended.status, 0) << ended.error;
    return ended.output;
  }

  // One cluster for all: the tests ask different questions.
  static void SetUpTestSuite() { cluster_ = std::make_unique<RedisCluster>(); }
  static void TearDownTestSuite() { cluster_.reset(); }

  TempDir dir_;
  inline static std::unique_ptr<RedisCluster> cluster_;
};

TEST_F(FleetTest, what_one_purges_no_other_answers_with) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0"});
  Program a(arguments(provider));
  Program b(arguments(provider));
  Program c(arguments(provider));
  for (const auto* proxy : {&a, &b, &c}) wait_until_heard(*proxy);
  ask_chat(a.address("listen"), "one");
  for (const auto* proxy : {&b, &c}) {
    ASSERT_TRUE(eventually(
        [&] { return status_of(*proxy, "one").find("detail=l1") != std::string::npos; }));
  }
  const auto heard = [&](const Program& proxy) {
    return stats(proxy)["fleet"]["l1_clears"].get<int>();
  };
  const int b_before = heard(b);
  const int c_before = heard(c);
  const auto began = std::chrono::steady_clock::now();
  purge(a, {"--all"});
  EXPECT_TRUE(eventually([&] { return heard(b) > b_before && heard(c) > c_before; }));
  const auto took = std::chrono::steady_clock::now() - began;
  RecordProperty(
      "purge_to_all_ms",
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_THAT(status_of(b, "one"), HasSubstr("fwd="));
  EXPECT_EQ(calls(provider), 2);
}

TEST_F(FleetTest, a_prompt_that_is_new_to_all_costs_one_call) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "300"});
  Program a(arguments(provider));
  Program b(arguments(provider));
  Program c(arguments(provider));
  for (const auto* proxy : {&a, &b, &c}) wait_until_heard(*proxy);
  constexpr int kEach = 100;
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (const auto* proxy : {&a, &b, &c}) {
    for (int i = 0; i < kEach; ++i) {
      clients.emplace_back([&, proxy] {
        const auto answer = ask_chat(proxy->address("listen"), "new to all");
        if (answer.status == 200) ++answered;
      });
    }
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(answered, 3 * kEach);
  EXPECT_EQ(calls(provider), 1);
  int leases = 0;
  for (const auto* proxy : {&a, &b, &c}) {
    leases += stats(*proxy)["fleet"]["flights"]["lease"].get<int>();
  }
  EXPECT_GE(leases, 1);
}

TEST_F(FleetTest, a_stream_is_one_call_too_and_comes_whole_to_who_waited) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "300"});
  Program a(arguments(provider));
  Program b(arguments(provider));
  for (const auto* proxy : {&a, &b}) wait_until_heard(*proxy);
  Answer first;
  Answer second;
  std::thread one([&] { first = ask(a.address("listen"), chat_request("streamed", true)); });
  std::thread two([&] { second = ask(b.address("listen"), chat_request("streamed", true)); });
  one.join();
  two.join();
  EXPECT_EQ(first.body, second.body);
  EXPECT_THAT(first.body, HasSubstr("[DONE]"));
  EXPECT_EQ(calls(provider), 1);
}

TEST_F(FleetTest, embeddings_that_are_new_to_all_cost_one_call_and_come_in_order) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "300"});
  Program a(arguments(provider));
  Program b(arguments(provider));
  for (const auto* proxy : {&a, &b}) wait_until_heard(*proxy);
  const auto embed = [](const Program& proxy, const std::string& input) {
    const auto body = R"({"model":"e","input":)" + input + "}";
    return ask(proxy.address("listen"),
               "POST /v1/embeddings HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  Answer first;
  Answer second;
  std::thread one([&] { first = embed(a, R"(["x","y","z"])"); });
  std::thread two([&] { second = embed(b, R"(["x","y","z"])"); });
  one.join();
  two.join();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(nlohmann::json::parse(first.body)["data"], nlohmann::json::parse(second.body)["data"]);
  EXPECT_EQ(calls(provider), 1);
  const auto of_one = nlohmann::json::parse(embed(b, R"("z")").body);
  EXPECT_EQ(of_one["data"][0]["embedding"],
            nlohmann::json::parse(first.body)["data"][2]["embedding"]);
  EXPECT_EQ(calls(provider), 1);
}

TEST_F(FleetTest, whoever_waits_for_a_proxy_that_is_killed_gets_its_answer) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "2000"});
  const std::vector<std::string> lease = {"--l2-flight-lease-ms", "500"};
  Program a(arguments(provider, lease));
  Program b(arguments(provider, lease));
  for (const auto* proxy : {&a, &b}) wait_until_heard(*proxy);
  RawClient lost(a.address("listen"));
  lost.send(chat_request("who dies"));
  ASSERT_TRUE(eventually([&] { return stats(a)["fleet"]["flights"]["lease"] == 1; }));
  Answer answer;
  std::thread waiting([&] { answer = ask_chat(b.address("listen"), "who dies"); });
  EXPECT_TRUE(eventually([&] { return stats(b)["fleet"]["flights"]["wait"] == 1; }));
  a.process().signal(SIGKILL);
  waiting.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(calls(provider), 2);
  EXPECT_EQ(stats(b)["fleet"]["flights"]["takeover"], 1);
}

TEST_F(FleetTest, an_answer_that_is_not_kept_makes_the_others_ask_at_once) {
  Program provider(
      {"mock-provider", "--listen", "127.0.0.1:0", "--error-rate", "1", "--ttft-ms", "300"});
  Program a(arguments(provider, {"--upstream-max-retries", "0"}));
  Program b(arguments(provider, {"--upstream-max-retries", "0"}));
  for (const auto* proxy : {&a, &b}) wait_until_heard(*proxy);
  std::thread one([&] { EXPECT_GE(ask_chat(a.address("listen"), "fails").status, 429); });
  std::thread two([&] { EXPECT_GE(ask_chat(b.address("listen"), "fails").status, 429); });
  one.join();
  two.join();
  EXPECT_EQ(calls(provider), 2);
}

TEST_F(FleetTest, each_asks_for_itself_where_leases_are_off) {
  Program provider({"mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "300"});
  Program a(arguments(provider, {"--l2-flight-lease-ms", "0"}));
  wait_until_heard(a);
  EXPECT_EQ(ask_chat(a.address("listen"), "alone").status, 200);
  EXPECT_EQ(stats(a)["fleet"]["flights"]["lease"], 0);
}

}  // namespace
}  // namespace llm_edge_cache::test
