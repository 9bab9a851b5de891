// A provider that breaks every rule: its answers are an error or go no further than who asked, and
// nothing that is not a whole answer is ever stored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
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
using ::testing::Not;

constexpr std::size_t kMaxEntryBytes = 65'536;

std::vector<std::string> impatient(const std::string& upstream) {
  return serve_arguments(
      upstream, {"--upstream-first-byte-timeout-ms", "300", "--upstream-idle-timeout-ms", "300",
                 "--upstream-max-retries", "0", "--write-timeout-ms", "500", "--max-entry-bytes",
                 std::to_string(kMaxEntryBytes)});
}

// Behaves for who asks to.
RawServer::Script evil_unless_asked(std::function<void(RawPeer&)> evil) {
  return [evil = std::move(evil)](RawPeer& peer) {
    while (const auto request = peer.read_request()) {
      if (request->find("please") == std::string::npos) return evil(peer);
      peer.send(http_answer(chat_answer("well")));
    }
  };
}

void expect_well(const Program& proxy) {
  const auto answer = ask_chat(proxy.address("listen"), "please");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, chat_answer("well"));
}

std::function<void(RawPeer&)> says(std::string bytes) {
  return [bytes = std::move(bytes)](RawPeer& peer) { peer.send(bytes); };
}

std::function<void(RawPeer&)> says_and_stays(std::string bytes) {
  return [bytes = std::move(bytes)](RawPeer& peer) {
    peer.send(bytes);
    peer.read_to_end();
  };
}

// Until the other side has enough.
std::function<void(RawPeer&)> repeats(std::string first, std::string bytes) {
  return [first = std::move(first), bytes = std::move(bytes)](RawPeer& peer) {
    if (!peer.send(first)) return;
    while (peer.send(bytes)) {
    }
  };
}

struct Lie {
  std::string name;
  std::function<void(RawPeer&)> tell;
};

std::vector<Lie> lies() {
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string nul(1, '\0');
  return {
      {"headers_without_end", repeats(ok, "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")},
      {"one_header_without_end", repeats(ok + "X: ", std::string(4'096, 'y'))},
      {"status_line_without_end", repeats("HTTP/1.1 200 ", std::string(4'096, 'y'))},
      {"shorter_than_its_length", says(ok + "Content-Length: 1000\r\n\r\n{\"id\":")},
      {"shorter_and_silent", says_and_stays(ok + "Content-Length: 1000\r\n\r\n{\"id\":")},
      {"two_lengths", says(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")},
      {"length_with_sign", says(ok + "Content-Length: +2\r\n\r\n{}")},
      {"length_overflows", says(ok + "Content-Length: 18446744073709551618\r\n\r\n{}")},
      {"length_and_chunks",
       says(ok + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
      {"other_encoding", says(ok + "Transfer-Encoding: gzip\r\n\r\n{}")},
      {"chunk_size_is_no_number", says(chunked + "zz\r\n{}\r\n0\r\n\r\n")},
      {"chunk_size_overflows", says(chunked + "10000000000000002\r\n{}\r\n0\r\n\r\n")},
      {"no_last_chunk", says(chunked + "2\r\n{}\r\n")},
      {"no_last_chunk_and_silent", says_and_stays(chunked + "2\r\n{}\r\n")},
      {"trailers_without_end", repeats(chunked + "2\r\n{}\r\n0\r\n", "X: yyyyyyyyyyyyyyyy\r\n")},
      {"folded_field", says(ok + "X: y\r\n z\r\nContent-Length: 2\r\n\r\n{}")},
      {"bare_line_feeds", says("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}")},
      {"nul_in_a_field", says(ok + "X: " + nul + "\r\nContent-Length: 2\r\n\r\n{}")},
      {"other_protocol", says("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
      {"switches_protocols",
       says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")},
      {"no_http", says("{\"no\":\"http\"}")},
      {"informs_without_end", repeats("", "HTTP/1.1 100 Continue\r\n\r\n")},
      {"hints_without_end", repeats("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")},
      {"says_nothing", says_and_stays("")},
      {"hangs_up", says("")},
      {"half_a_head", says_and_stays(ok)},
  };
}

class LyingProviderTest : public ::testing::TestWithParam<Lie> {};

TEST_P(LyingProviderTest, is_an_error_for_who_asked_and_for_nobody_else) {
  RawServer provider(evil_unless_asked(GetParam().tell));
  Program proxy(impatient(provider.url()));
  for (int i = 0; i < 2; ++i) {
    RawClient client(proxy.address("listen"));
    client.send(chat_request("evil"));
    const auto answer = client.read_answer();
    if (!answer) continue;  // cut in the middle: no client takes that for an answer
    EXPECT_THAT(answer->status, ::testing::AnyOf(502, 504)) << answer->head;
    EXPECT_THAT(answer->body, HasSubstr("\"code\":\"upstream_"));
    EXPECT_THAT(answer->field("cache-status"), Not(HasSubstr("hit")));
  }
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_writes_total{tier="l1"})"), 0);
  expect_well(proxy);
}

INSTANTIATE_TEST_SUITE_P(Lies, LyingProviderTest, ::testing::ValuesIn(lies()),
                         [](const auto& lie) { return lie.param.name; });

struct Odd {
  std::string name;
  std::string answer;
  int status = 200;
  bool stream = false;
};

std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}

std::string delta(const std::string& text, const std::string& finish = "null") {
  return event(R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o",)"
               R"("choices":[{"index":0,"delta":{"content":")" +
               text + R"("},"finish_reason":)" + finish + "}]}");
}

std::string with_status(const std::string& line, const std::string& answer) {
  return "HTTP/1.1 " + line + answer.substr(answer.find("\r\n"));
}

std::vector<Odd> odd_answers() {
  constexpr const char* kStream = "text/event-stream";
  const auto text = chat_answer("x");
  auto cut = text;
  cut.resize(text.size() - 1);
  auto length = text;
  length.replace(length.find("\"stop\""), 6, "\"length\"");
  return {
      {"error_in_a_success", http_answer(R"({"error":{"message":"no","code":"overloaded"}})")},
      {"error_beside_an_answer", http_answer("{\"error\":{\"message\":\"no\"}," + text.substr(1))},
      {"text_that_is_cut", http_answer(cut)},
      {"bytes_behind_the_text", http_answer(text + "}")},
      {"bad_utf8", http_answer(chat_answer("\x80\xff"))},
      {"half_a_surrogate", http_answer(chat_answer("\\ud800"))},
      {"a_member_twice", http_answer("{\"id\":\"d\"," + text.substr(1))},
      {"an_escaped_member_twice",
       http_answer(text.substr(0, text.size() - 1) + ",\"choice\\u0073\":[]}")},
      {"no_text", http_answer("")},
      {"no_object", http_answer("[" + text + "]")},
      {"no_choices", http_answer(R"({"id":"c","object":"chat.completion","choices":[]})")},
      {"cut_by_its_limit", http_answer(length)},
      {"compressed_unasked",
       http_answer("\x1f\x8b", "application/json", "Content-Encoding: gzip\r\n")},
      {"said_to_be_compressed", http_answer(text, "application/json", "Content-Encoding: br\r\n")},
      {"other_type", http_answer(text, "text/html")},
      {"stream_unasked", http_answer(delta("x", "\"stop\"") + event("[DONE]"), kStream)},
      {"json_for_a_stream", http_answer(text), 200, true},
      {"stream_without_end", http_answer(delta("x"), kStream), 200, true},
      {"stream_without_done", http_answer(delta("x", "\"stop\""), kStream), 200, true},
      {"stream_without_finish", http_answer(delta("x") + event("[DONE]"), kStream), 200, true},
      {"stream_cut_in_an_event", http_answer(delta("x", "\"stop\"") + "data: [DONE]", kStream), 200,
       true},
      {"stream_with_an_error",
       http_answer(delta("x") + event(R"({"error":{"message":"no"}})") + event("[DONE]"), kStream),
       200, true},
      {"stream_with_bad_utf8", http_answer(delta("\x80", "\"stop\"") + event("[DONE]"), kStream),
       200, true},
      {"stream_with_a_member_twice",
       http_answer(event("{\"id\":\"c\",\"id\":\"d\"}") + delta("x", "\"stop\"") + event("[DONE]"),
                   kStream),
       200, true},
      {"stream_of_no_json", http_answer(event("x") + event("[DONE]"), kStream), 200, true},
      {"partial", with_status("206 Partial Content", http_answer(text)), 206},
      {"created", with_status("201 Created", http_answer(text)), 201},
      {"redirect",
       with_status("307 Temporary Redirect",
                   http_answer(text, "application/json", "Location: http://127.0.0.1:1/\r\n")),
       307},
      {"unauthorized", with_status("401 Unauthorized", http_answer(text)), 401},
      {"over_the_bound", http_answer(chat_answer(std::string(kMaxEntryBytes, 'x')))},
  };
}

class OddAnswerTest : public ::testing::TestWithParam<Odd> {};

TEST_P(OddAnswerTest, goes_to_who_asked_and_is_not_stored) {
  RawServer provider(evil_unless_asked(says(GetParam().answer)));
  Program proxy(impatient(provider.url()));
  const auto sent = GetParam().answer.substr(GetParam().answer.find("\r\n\r\n") + 4);
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask(proxy.address("listen"), chat_request("evil", GetParam().stream));
    EXPECT_EQ(answer.status, GetParam().status);
    EXPECT_EQ(answer.body, sent);
    EXPECT_THAT(answer.field("cache-status"), Not(HasSubstr("hit")));
  }
  EXPECT_EQ(provider.connections(), 2U);  // asked both times; a redirect is not followed
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_writes_total{tier="l1"})"), 0);
  expect_well(proxy);
}

INSTANTIATE_TEST_SUITE_P(Answers, OddAnswerTest, ::testing::ValuesIn(odd_answers()),
                         [](const auto& odd) { return odd.param.name; });

TEST(PoisonTest, bytes_behind_an_answer_are_nobodys_answer) {
  const auto good = http_answer(chat_answer("mine"));
  const auto poison = http_answer(chat_answer("poison"));
  RawServer provider([&](RawPeer& peer) {
    while (peer.read_request()) {
      if (!peer.send(good + poison)) return;
    }
  });
  Program proxy(impatient(provider.url()));
  for (int i = 0; i < 20; ++i) {
    const auto answer = ask_chat(proxy.address("listen"), std::to_string(i));
    EXPECT_EQ(answer.body, chat_answer("mine"));
  }
  EXPECT_EQ(provider.connections(), 20U);
}

TEST(PoisonTest, an_answer_longer_than_its_length_ends_the_connection) {
  RawServer provider([&](RawPeer& peer) {
    (void)peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" +
              http_answer(chat_answer("poison")));
    peer.read_to_end();
  });
  Program proxy(impatient(provider.url()));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask_chat(proxy.address("listen"), "short").body, "{}");
  }
  EXPECT_EQ(provider.connections(), 5U);
}

TEST(PoisonTest, answers_from_before_the_request_are_not_kept_for_the_next) {
  RawServer provider([&](RawPeer& peer) {
    peer.send(http_answer(chat_answer("early")) + http_answer(chat_answer("poison")));
    peer.read_to_end();
  });
  Program proxy(impatient(provider.url()));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(ask_chat(proxy.address("listen"), std::to_string(i)).body,
                Not(HasSubstr("poison")));
  }
}

TEST(PoisonTest, cookies_and_hop_by_hop_fields_are_for_nobody_else) {
  RawServer provider([](RawPeer& peer) {
    while (peer.read_request()) {
      peer.send(http_answer(chat_answer("x"), "application/json",
                            "Set-Cookie: session=alice\r\nX-Request-Id: 7\r\n"
                            "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                            "Proxy-Authenticate: Basic\r\nAge: 999999\r\n"
                            "x-llm-cache-key: forged\r\nCache-Status: evil; hit\r\n"));
    }
  });
  Program proxy(impatient(provider.url()));
  const auto first = ask_chat(proxy.address("listen"), "cookies");
  EXPECT_EQ(first.field("set-cookie"), "session=alice");  // the provider's word to who asked
  for (const char* name : {"x-hop", "keep-alive", "proxy-authenticate"}) {
    EXPECT_EQ(first.field(name), "") << name;
  }
  EXPECT_NE(first.field("x-llm-cache-key"), "forged");
  const auto second = ask_chat(proxy.address("listen"), "cookies");
  EXPECT_THAT(second.field("cache-status"), HasSubstr("llm-edge-cache; hit"));
  EXPECT_LE(std::stoi(second.field("age")), 60);
  for (const char* name : {"set-cookie", "x-request-id", "x-hop", "keep-alive"}) {
    EXPECT_EQ(second.field(name), "") << name;
  }
  EXPECT_THAT(second.head, Not(HasSubstr("evil")));
}

TEST(EndlessStreamTest, is_not_kept_and_ends_when_nobody_listens) {
  std::atomic<int> ended{0};
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto text = delta(std::string(4'000, 'x'));
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  const auto chunk = size + text + "\r\n";
  RawServer provider(evil_unless_asked([&](RawPeer& peer) {
    repeats(head, chunk)(peer);
    ++ended;
  }));
  Program proxy(impatient(provider.url()));
  expect_well(proxy);
  const auto before = resident_bytes(proxy.process().pid());
  {
    RawClient reader(proxy.address("listen"));
    reader.send(chat_request("evil", true));
    ASSERT_GE(reader.read_bytes(64U << 20U), 64U << 20U);
    RawClient sleeper(proxy.address("listen"));
    sleeper.send(chat_request("evil, unread", true));
    EXPECT_TRUE(eventually([&] { return ended >= 1; })) << "who reads nothing is cut";
  }
  EXPECT_TRUE(eventually([&] { return ended == 2; })) << "the call is given up";
  expect_grown_less(grown_since(before, proxy.process().pid()), 32U << 20U);
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_refused_answers_total{reason="too_large"})"), 2);
  expect_well(proxy);
}

TEST(EndlessStreamTest, an_endless_answer_of_one_body_is_cut_with_its_reader) {
  std::atomic<int> ended{0};
  RawServer provider(evil_unless_asked([&](RawPeer& peer) {
    repeats("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"x\":\"",
            std::string(8'192, 'x'))(peer);
    ++ended;
  }));
  Program proxy(impatient(provider.url()));
  expect_well(proxy);
  const auto before = resident_bytes(proxy.process().pid());
  {
    RawClient reader(proxy.address("listen"));
    reader.send(chat_request("evil"));
    ASSERT_GE(reader.read_bytes(16U << 20U), 16U << 20U);
  }
  EXPECT_TRUE(eventually([&] { return ended == 1; }));
  expect_grown_less(grown_since(before, proxy.process().pid()), 32U << 20U);
  expect_well(proxy);
}

// The head of each answer is written from memory that its connection keeps.
TEST(LargeHeadsTest, leave_little_at_the_connections_that_they_went_to) {
  constexpr std::size_t kClients = 300;
  const auto filler = "X-Filler: " + std::string(50'000, 'y') + "\r\n";
  const auto evil = http_answer(chat_answer("large"));
  const auto at = evil.find("\r\n") + 2;
  RawServer provider([&](RawPeer& peer) {
    while (const auto request = peer.read_request()) {
      const bool is_large = request->find("please") == std::string::npos;
      peer.send(is_large ? evil.substr(0, at) + filler + evil.substr(at)
                         : http_answer(chat_answer("well")));
    }
  });
  Program proxy(serve_arguments(provider.url(), {"--idle-timeout-ms", "600000"}));
  expect_well(proxy);
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto before = resident_bytes(proxy.process().pid());
  for (std::size_t i = 0; i < kClients; ++i) {
    auto& client = *clients.emplace_back(std::make_unique<RawClient>(proxy.address("listen")));
    client.send(chat_request("large " + std::to_string(i)));
    ASSERT_GT(client.read_answer().value().head.size(), filler.size());
    client.send(chat_request("please"));
    ASSERT_EQ(client.read_answer().value().body, chat_answer("well"));
  }
  expect_grown_less(grown_since(before, proxy.process().pid()) / kClients, 24U << 10U);
}

TEST(KilledProviderTest, in_a_stream_is_seen_as_cut_and_nothing_is_stored) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0", "--tokens-per-second", "20"});
  Program proxy(impatient(mock.url()));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.address("listen")));
    clients.back()->send(chat_request("shared stream", true));
  }
  for (auto& client : clients) client->wait_for_bytes();
  mock.process().signal(SIGKILL);
  for (auto& client : clients) {
    EXPECT_FALSE(client->read_answer().has_value()) << "looked whole";
    EXPECT_TRUE(client->is_closed_by_server());
  }
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_writes_total{tier="l1"})"), 0);
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_refused_answers_total{reason="truncated"})"), 1);
  const auto again = ask_chat(proxy.address("listen"), "shared stream");
  EXPECT_EQ(again.status, 502);
}

}  // namespace
}  // namespace llm_edge_cache::test
