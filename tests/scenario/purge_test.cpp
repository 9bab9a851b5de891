// A purge that comes while an answer is streaming, at the real binary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::StartsWith;

std::string event_with(const std::string& content, const std::string& finish_reason) {
  const auto event =
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,"
      "\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
      content + "\"},\"finish_reason\":" + finish_reason + "}]}\n\n";
  return event;
}

std::string chunk_of(const std::string& text) {
  std::ostringstream chunk;
  chunk << std::hex << text.size() << "\r\n" << text << "\r\n";
  return chunk.str();
}

// Numbers its streams, and sends the rest of each when the test says so.
class HeldStreams {
 public:
  ~HeldStreams() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] bool has_begun(int number) {
    return eventually([&] {
      const std::lock_guard lock(mutex_);
      return begun_ >= number;
    });
  }
  [[nodiscard]] int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  void finish(int number) {
    const std::lock_guard lock(mutex_);
    finished_.insert(number);
    changed_.notify_all();
  }

 private:
  int begin() {
    const std::lock_guard lock(mutex_);
    return ++begun_;
  }
  bool wait_for_end(int number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_over_ || finished_.contains(number); });
    return !is_over_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  std::set<int> finished_;
  bool is_over_ = false;
  RawServer server_{[this](RawPeer& peer) {
    while (peer.read_request()) {
      const int number = begin();
      peer.send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
          "Transfer-Encoding: chunked\r\n\r\n" +
          chunk_of(event_with("answer ", "null")));
      if (!wait_for_end(number)) return;
      peer.send(chunk_of(event_with(std::to_string(number), "null") + event_with("", "\"stop\"") +
                         "data: [DONE]\n\n") +
                "0\r\n\r\n");
    }
  }};
};

std::string whole_answer(int number) {
  return event_with("answer ", "null") + event_with(std::to_string(number), "null") +
         event_with("", "\"stop\"") + "data: [DONE]\n\n";
}

std::string tagged_request() {
  auto request = chat_request("Hi", true);
  return request.insert(request.find("Content-Length"), "x-llm-cache-tags: docs\r\n");
}

std::string said(const Program& proxy, std::vector<std::string> command) {
  command.insert(command.end(), {"--admin", proxy.url("admin")});
  const auto ended = run_program(command);
  EXPECT_EQ(ended.status, 0) << ended.error;
  return ended.output;
}

// The first answer, whose key it returns; nothing stays of it.
std::string learn_key(HeldStreams& provider, const Program& proxy) {
  provider.finish(1);
  ask(proxy.address("listen"), tagged_request());
  const auto key = nlohmann::json::parse(said(proxy, {"export"}))["key"].get<std::string>();
  said(proxy, {"purge", "--all"});
  return key;
}

class PurgeTest : public ::testing::TestWithParam<std::string> {
 protected:
  // The command that the parameter names.
  static std::vector<std::string> purge_of(const std::string& key) {
    if (GetParam() == "key") return {"purge", "--key", key};
    if (GetParam() == "tag") return {"purge", "--tag", "docs"};
    return {"purge", "--all"};
  }

  HeldStreams provider_;
};

TEST_P(PurgeTest, what_is_streaming_goes_to_its_client_and_to_nobody_else) {
  Program proxy(serve_arguments(provider_.url()));
  const auto key = learn_key(provider_, proxy);
  RawClient a(proxy.address("listen"));
  a.send(tagged_request());
  ASSERT_TRUE(provider_.has_begun(2));
  a.wait_for_bytes();
  said(proxy, purge_of(key));
  RawClient b(proxy.address("listen"));
  b.send(tagged_request());
  ASSERT_TRUE(provider_.has_begun(3));
  provider_.finish(2);
  const auto answer_a = a.read_answer();
  ASSERT_TRUE(answer_a.has_value());
  EXPECT_EQ(answer_a->body, whole_answer(2));
  provider_.finish(3);
  const auto answer_b = b.read_answer();
  ASSERT_TRUE(answer_b.has_value());
  EXPECT_EQ(answer_b->body, whole_answer(3));
  const auto c = ask(proxy.address("listen"), tagged_request());
  EXPECT_THAT(c.field("cache-status"), StartsWith("llm-edge-cache; hit;"));
  EXPECT_EQ(c.body, whole_answer(3));
  EXPECT_EQ(provider_.begun(), 3);
}

// Another process purges: what streams here is neither joined nor stored.
TEST_P(PurgeTest, nor_does_it_where_another_of_the_fleet_purges) {
  RedisServer redis;
  TempDir directory;
  const auto secret = (directory.path() / "secret").string();
  std::ofstream(secret) << "a secret of both, long enough to be one\n";
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  const auto arguments = serve_arguments(
      provider_.url(),
      {"--l2", redis.url(), "--l2-operation-timeout-ms", "20000", "--scope-secret-file", secret});
  Program here(arguments);
  Program there(arguments);
  const auto fleet_of = [](const Program& proxy) {
    return nlohmann::json::parse(get(proxy.address("admin"), "/stats").body)["fleet"];
  };
  for (const auto* proxy : {&here, &there}) {
    ASSERT_TRUE(eventually([&] { return fleet_of(*proxy)["channel_up"].get<bool>(); }));
  }
  const auto key = learn_key(provider_, here);
  RawClient a(here.address("listen"));
  a.send(tagged_request());
  ASSERT_TRUE(provider_.has_begun(2));
  a.wait_for_bytes();
  const auto heard = [&] { return fleet_of(here)["messages"]["received"].get<int>(); };
  const auto heard_before = heard();
  said(there, purge_of(key));
  ASSERT_TRUE(eventually([&] { return heard() > heard_before; }));
  RawClient b(here.address("listen"));
  b.send(tagged_request());
  ASSERT_TRUE(provider_.has_begun(3)) << "waits for what was purged";
  provider_.finish(2);
  const auto answer_a = a.read_answer();
  ASSERT_TRUE(answer_a.has_value());
  EXPECT_EQ(answer_a->body, whole_answer(2));
  provider_.finish(3);
  const auto answer_b = b.read_answer();
  ASSERT_TRUE(answer_b.has_value());
  EXPECT_EQ(answer_b->body, whole_answer(3));
  for (const auto* proxy : {&here, &there}) {
    ASSERT_TRUE(eventually([&] { return redis.command({"EXISTS", "llm_cache:" + key}) == "1"; }));
    const auto c = ask(proxy->address("listen"), tagged_request());
    EXPECT_THAT(c.field("cache-status"), StartsWith("llm-edge-cache; hit;"));
    EXPECT_EQ(c.body, whole_answer(3));
  }
  EXPECT_EQ(provider_.begun(), 3);
}

INSTANTIATE_TEST_SUITE_P(Purges, PurgeTest, ::testing::Values("key", "tag", "all"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace llm_edge_cache::test
