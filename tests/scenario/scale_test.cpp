// Many connections at once: what one costs, and that nobody waits for another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/metrics.hpp"
#include "tests/scenario/process_memory.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

// Children inherit it.
bool may_open(rlim_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= files) return true;
  limit.rlim_cur = std::min(files, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= files;
}

using Clients = std::vector<std::unique_ptr<RawClient>>;

Clients connect_many(const Program& proxy, std::size_t count) {
  Clients clients;
  clients.reserve(count);
  while (clients.size() < count) {
    clients.push_back(std::make_unique<RawClient>(proxy.address("listen")));
  }
  return clients;
}

TEST(ScaleTest, ten_thousand_idle_connections_cost_little_and_the_rest_is_served) {
  constexpr std::size_t kConnections = 10'000;
  constexpr std::size_t kMaxBytesEach = 8'192;
  if (!may_open(kConnections + 1'000)) {
    GTEST_SKIP() << "RLIMIT_NOFILE does not allow " << kConnections << " connections";
  }
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(serve_arguments(mock.url(), {"--idle-timeout-ms", "600000"}));
  const auto request = chat_request("idle");
  const auto expected = ask(proxy.address("listen"), request).body;
  const auto before = resident_bytes(proxy.process().pid());
  auto clients = connect_many(proxy, kConnections);
  for (auto& client : clients) client->send(request);
  for (auto& client : clients) ASSERT_EQ(client->read_answer().value().body, expected);
  const auto each = grown_since(before, proxy.process().pid()) / kConnections;
  std::printf("%zu bytes for each of %zu connections\n", each, kConnections);
  expect_grown_less(each, kMaxBytesEach);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ask(proxy.address("listen"), request).body, expected);
    EXPECT_EQ(ask_chat(proxy.address("listen"), "new " + std::to_string(i)).status, 200);
  }
  clients[kConnections / 2]->send(request);
  EXPECT_EQ(clients[kConnections / 2]->read_answer().value().body, expected);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return open_files(proxy.process().pid()) < 300; }));
}

TEST(ScaleTest, a_thousand_slow_readers_share_one_copy_and_slow_down_nobody) {
  constexpr std::size_t kReaders = 1'000;
  constexpr std::size_t kMaxBytes = 64U << 20U;
  if (!may_open(kReaders + 1'000)) GTEST_SKIP() << "RLIMIT_NOFILE is too low";
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(serve_arguments(mock.url(), {"--write-timeout-ms", "600000"}));
  std::string prompt;
  for (int i = 0; i < 1'000; ++i) prompt += "word ";
  const auto request = chat_request(prompt, /*stream=*/true);
  const auto expected = ask(proxy.address("listen"), request).body;
  ASSERT_GT(expected.size(), 40'000U);
  const auto before = resident_bytes(proxy.process().pid());
  auto readers = connect_many(proxy, kReaders);
  for (auto& reader : readers) reader->send(request);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ask_chat(proxy.address("listen"), "small " + std::to_string(i % 10)).status, 200);
  }
  for (auto& reader : readers) reader->wait_for_bytes();
  const auto grown = grown_since(before, proxy.process().pid());
  std::printf("%zu readers of %zu bytes each: %zu bytes more\n", kReaders, expected.size(), grown);
  expect_grown_less(grown, kMaxBytes);
  for (auto& reader : readers) ASSERT_EQ(reader->read_answer().value().body, expected);
}

TEST(ScaleTest, a_thousand_who_ask_the_same_at_once_share_one_call_and_wait_for_nobody) {
  constexpr std::size_t kClients = 1'000;
  if (!may_open(kClients + 1'000)) GTEST_SKIP() << "RLIMIT_NOFILE is too low";
  const std::string first =
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
      std::string(2'000, 'x') + "\"},\"finish_reason\":null}]}\n\n";
  std::string second = first;
  second.replace(second.find("null"), 4, "\"stop\"");
  second += "data: [DONE]\n\n";
  const auto chunk = [](const std::string& text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
  };
  std::promise<void> may_begin;
  std::promise<void> may_end;
  std::atomic<int> calls{0};
  RawServer provider([&](RawPeer& peer) {
    while (peer.read_request()) {
      ++calls;
      may_begin.get_future().wait();
      peer.send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
          "chunked\r\n\r\n" +
          chunk(first));
      may_end.get_future().wait();
      peer.send(chunk(second) + "0\r\n\r\n");
    }
  });
  Program proxy(serve_arguments(provider.url()));
  auto clients = connect_many(proxy, kClients);
  for (auto& client : clients) client->send(chat_request("at once", /*stream=*/true));
  may_begin.set_value();
  // Everybody has the first half while nobody has read it, and the second is not there yet.
  for (auto& client : clients) client->wait_for_bytes();
  may_end.set_value();
  for (std::size_t i = clients.size(); i-- > 0;) {
    const auto answer = clients[i]->read_answer();
    ASSERT_TRUE(answer.has_value()) << i;
    ASSERT_EQ(answer->body, first + second) << i;
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(metric_of(proxy, "llm_edge_requests_total"), kClients);
}

}  // namespace
}  // namespace llm_edge_cache::test
