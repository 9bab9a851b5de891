// A purge that comes while the provider is being asked: who joined before it gets that answer,
// whoever comes after it gets another.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "core/tag_stamp.hpp"
#include "embedding_fixture.hpp"
#include "tests/support/raw_server.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using llm_edge_cache::test::RawPeer;
using llm_edge_cache::test::RawServer;

// Other processes, of whom the test brings news; every flight is one's own.
class NewsFleet : public Fleet {
 public:
  void listen(FleetListener& to) override { listener = &to; }
  void take_turn(const KeyDigest& /*key*/, TurnHandler handler) override { handler({}); }
  void put(const KeyDigest& /*key*/, EntryPtr /*entry*/, FlightLeasePtr /*lease*/) override {}
  [[nodiscard]] FleetReport report() const override { return {}; }

  FleetListener* listener = nullptr;
};
struct HasNews {
  NewsFleet fleet_;
};

class PurgeFlowTest : public HasNews, public EmbeddingTest {
 protected:
  explicit PurgeFlowTest(ProxyOptions options = {})
      : EmbeddingTest({.proxy = std::move(options), .has_l2 = true, .fleet = &fleet_}) {
    upstream_.answer_with({});
  }

  // What memory has.
  std::vector<KeyDigest> stored_keys() {
    std::vector<KeyDigest> keys;
    l1_->walk()->next([&](const Result<std::vector<KeyedEntry>>& page) {
      for (const auto& one : *page) {
        if (!is_tag_marker(*one.entry)) keys.push_back(one.key);
      }
    });
    return keys;
  }
  // What has tags is stored once the other tier has told their generations.
  std::vector<KeyDigest> eventually_stored() {
    EXPECT_TRUE(eventually([&] { return stored_keys().size() == 1U; }));
    return stored_keys();
  }
  void remove(const KeyDigest& key) {
    http::Once<bool> ended;
    cache_->remove(key, [&](const Result<bool>& removed) { ended.set(removed.ok()); });
    EXPECT_TRUE(ended.wait());
  }
  void clear() {
    http::Once<bool> ended;
    cache_->clear([&](const Status& cleared) { ended.set(cleared.ok()); });
    EXPECT_TRUE(ended.wait());
  }
  // By another process, which then says so.
  void remove_elsewhere(const KeyDigest& key) {
    http::Once<bool> ended;
    l2_->remove(key, [&](const Result<bool>& removed) { ended.set(removed.ok()); });
    EXPECT_TRUE(ended.wait());
    fleet_.listener->on_changed(key);
  }
  void clear_elsewhere() {
    l2_->clear([](const Status&) {});
    fleet_.listener->on_all_changed();
  }
  // The key of a question that is asked for the first time; nothing stays of its answer.
  KeyDigest key_of(std::string_view question, const http::Headers& headers = {}) {
    answer_stream(hello_stream());
    ask(question, headers);
    const auto key = eventually_stored().at(0);
    clear();
    upstream_.answer_with({});
    return key;
  }
};

std::string rest_with(std::string_view word) {
  auto chunk = json::parse(kHelloChunk);
  chunk["choices"][0]["delta"]["content"] = word;
  return sse({chunk.dump(), kStopChunk, kDone});
}

enum class How { kKey, kTag, kNamespace, kAll, kKeyElsewhere, kTagElsewhere, kAllElsewhere };

void PrintTo(How how, std::ostream* out) {
  *out << static_cast<int>(how);
}

class EveryPurgeTest : public PurgeFlowTest, public ::testing::WithParamInterface<How> {
 protected:
  void purge(const KeyDigest& key) {
    switch (GetParam()) {
      case How::kKey:
        return remove(key);
      case How::kTag:
        return remove(tag_marker_key("docs"));
      case How::kNamespace:
        return remove(tag_marker_key(namespace_tag("blue")));
      case How::kAll:
        return clear();
      case How::kKeyElsewhere:
        return remove_elsewhere(key);
      case How::kTagElsewhere:
        return remove_elsewhere(tag_marker_key("docs"));
      case How::kAllElsewhere:
        return clear_elsewhere();
    }
  }
  const http::Headers headers_ = {{"x-llm-cache-tags", "docs"}, {"x-llm-cache-namespace", "blue"}};
};

TEST_P(EveryPurgeTest, whoever_asks_after_it_gets_an_answer_asked_for_after_it) {
  const auto key = key_of(kStreamQuestion, headers_);
  auto before = start_chat(kStreamQuestion, headers_);
  const auto old_call = upstream_.next();
  old_call.start_stream();
  old_call.write(sse({kRoleChunk}));
  ASSERT_TRUE(before.eventually_received(1));
  purge(key);
  auto after = start_chat(kStreamQuestion, headers_);
  const auto new_call = upstream_.next();
  old_call.write(rest_with("old"));
  old_call.finish();
  EXPECT_EQ(before.wait().body(), sse({kRoleChunk}) + rest_with("old"));
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kPurged) == 1U; }));
  auto joined = start_chat(kStreamQuestion, headers_);
  new_call.respond_stream(sse({kRoleChunk}) + rest_with("new"));
  EXPECT_EQ(after.wait().body(), sse({kRoleChunk}) + rest_with("new"));
  EXPECT_EQ(joined.wait().body(), sse({kRoleChunk}) + rest_with("new"));
  ASSERT_EQ(eventually_stored(), std::vector{key});
  const auto later = ask(kStreamQuestion, headers_);
  EXPECT_TRUE(later.is_hit());
  EXPECT_EQ(later.body(), sse({kRoleChunk}) + rest_with("new"));
}

TEST_P(EveryPurgeTest, no_tier_keeps_an_answer_asked_for_before_it) {
  const auto key = key_of(kStreamQuestion, headers_);
  auto before = start_chat(kStreamQuestion, headers_);
  const auto call = upstream_.next();
  purge(key);
  call.respond_stream(hello_stream());
  const auto answer = before.wait();
  EXPECT_EQ(answer.body(), hello_stream());
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_TRUE(stored_keys().empty());
  auto after = start_chat(kStreamQuestion, headers_);
  upstream_.next().respond_stream(sse({kRoleChunk}) + rest_with("new"));
  EXPECT_EQ(after.wait().body(), sse({kRoleChunk}) + rest_with("new"));
}

INSTANTIATE_TEST_SUITE_P(Purges, EveryPurgeTest,
                         ::testing::Values(How::kKey, How::kTag, How::kNamespace, How::kAll,
                                           How::kKeyElsewhere, How::kTagElsewhere,
                                           How::kAllElsewhere));

TEST_F(PurgeFlowTest, a_request_for_a_younger_answer_stores_none_from_before_a_purge) {
  const auto key = key_of(kStreamQuestion);
  auto before = start_chat(kStreamQuestion, {{"Cache-Control", "no-cache"}});
  const auto call = upstream_.next();
  remove(key);
  call.respond_stream(hello_stream());
  EXPECT_EQ(before.wait().body(), hello_stream());
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_TRUE(stored_keys().empty());
}

TEST_F(PurgeFlowTest, nobody_waits_for_what_another_asked_the_store_before_it) {
  l2_->close_gate();
  auto before = start_chat(kStreamQuestion);
  ASSERT_TRUE(eventually([&] { return l2_->gets() == 1; }));
  clear_elsewhere();
  auto after = start_chat(kStreamQuestion);
  ASSERT_TRUE(eventually([&] { return l2_->gets() == 2; }));
  answer_stream(hello_stream());
  l2_->open_gate();
  EXPECT_EQ(before.wait().status(), 200);
  EXPECT_EQ(after.wait().status(), 200);
}

TEST_F(PurgeFlowTest, what_another_process_stores_is_found_and_not_asked_for_again) {
  const auto key = key_of(kStreamQuestion);
  auto before = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  const auto theirs = sse({kRoleChunk}) + rest_with("theirs");
  l2_->put(key, make_entry({.content = theirs,
                            .content_type = "text/event-stream",
                            .review = {},
                            .life = {60'000, 0},
                            .tags = {}},
                           clock_->now_ms()));
  fleet_.listener->on_changed(key);
  EXPECT_EQ(start_chat(kStreamQuestion).wait().body(), theirs);
  call.respond_stream(hello_stream());
  EXPECT_EQ(before.wait().body(), hello_stream());
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_EQ(ask(kStreamQuestion).body(), theirs);
  EXPECT_EQ(upstream_.calls(), 2);  // the first for the key
}

// A provider that frames nothing: its answer ends with the connection.
struct HasUnframedStream {
  std::promise<void> is_purged_;
  RawServer provider_{[this](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + sse({kRoleChunk}));
    (void)is_purged_.get_future().wait_for(llm_edge_cache::test::kEventually);
    peer.send(rest_with("Hello"));
  }};
};
class PurgeOfUnframedTest : public HasUnframedStream, public ProxyTest {
 protected:
  PurgeOfUnframedTest() : ProxyTest(at(provider_.url())) {}
  static ProxyTestOptions at(std::string url) {
    ProxyTestOptions options;
    options.proxy.upstream_url = std::move(url);
    return options;
  }
};

TEST_F(PurgeOfUnframedTest, what_its_last_event_says_is_whole_is_whole_though_not_kept) {
  auto pending = start_chat(kStreamQuestion);
  ASSERT_TRUE(pending.eventually_received(1));
  cache_->clear([](const Status&) {});
  is_purged_.set_value();
  const auto answer = pending.wait();
  EXPECT_EQ(answer.body(), sse({kRoleChunk}) + rest_with("Hello"));
  EXPECT_TRUE(answer.is_whole());
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kPurged) == 1U; }));
}

class PurgeOfStaleTest : public PurgeFlowTest {
 protected:
  PurgeOfStaleTest() : PurgeFlowTest(options()) {}
  static ProxyOptions options() {
    ProxyOptions options;
    options.ttl_ms = 60'000;
    options.stale_while_revalidate_ms = 30'000;
    return options;
  }
};

TEST_F(PurgeOfStaleTest, a_refresh_that_began_before_it_is_not_stored_and_not_joined) {
  answer_json();
  ask(kQuestion);
  const auto key = eventually_stored().at(0);
  clock_->advance_ms(61'000);
  upstream_.answer_with({});
  EXPECT_TRUE(start_chat(kQuestion).wait().is_hit());
  const auto refresh = upstream_.next();
  remove(key);
  auto after = start_chat(kQuestion);
  const auto call = upstream_.next();
  refresh.respond_json(std::string(kHelloBody));
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kPurged) == 1U; }));
  EXPECT_TRUE(stored_keys().empty());
  call.respond_json(std::string(kHelloBody));
  EXPECT_EQ(after.wait().status(), 200);
  EXPECT_TRUE(ask(kQuestion).is_hit());
}

TEST_F(PurgeOfStaleTest, what_a_refresh_stores_has_the_tags_of_what_it_replaces) {
  answer_json();
  ask(kQuestion, {{"x-llm-cache-tags", "docs"}});
  ASSERT_EQ(eventually_stored().size(), 1U);
  clock_->advance_ms(61'000);
  EXPECT_TRUE(ask(kQuestion, {{"x-llm-cache-tags", "drafts"}}).is_hit());
  ASSERT_TRUE(
      eventually([&] { return ask(kQuestion).cache_status().ends_with("ttl=60; detail=l1"); }));
  remove(tag_marker_key("docs"));
  EXPECT_FALSE(ask(kQuestion).is_hit());
  remove(tag_marker_key("drafts"));
  EXPECT_TRUE(ask(kQuestion).is_hit()) << "the last one who asked had no tags";
}

class PurgeOfEmbeddingsTest : public PurgeFlowTest {
 protected:
  PendingAnswer begin(const json& input) {
    return start(http::request_head("POST", "/v1/embeddings"),
                 json{{"model", "e"}, {"input", input}}.dump());
  }
  KeyDigest key_of_element(const std::string& element) {
    answer_all();
    embed(element);
    const auto key = eventually_stored().at(0);
    clear();
    upstream_.answer_with({});
    return key;
  }
  void answer_all() {
    upstream_.answer_with([](const UpstreamExchange& exchange) { answer(exchange); });
  }
  static void answer(const UpstreamExchange& exchange) {
    exchange.respond_json(embeddings_for(json::parse(exchange.body())).dump());
  }
};

TEST_F(PurgeOfEmbeddingsTest, of_a_batch_under_way_only_the_purged_element_is_not_stored) {
  const auto key = key_of_element("a");
  auto before = begin({"a", "b"});
  const auto call = upstream_.next();
  remove(key);
  answer(call);
  EXPECT_EQ(vectors_of(before.wait()), expected({"a", "b"}));
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kPurged) == 1U; }));
  answer_all();
  EXPECT_TRUE(embed("b").is_hit());
  EXPECT_FALSE(embed("a").is_hit());
}

TEST_F(PurgeOfEmbeddingsTest, whoever_asks_for_the_batch_after_it_makes_a_call_of_its_own) {
  const auto key = key_of_element("a");
  auto before = begin({"a", "b"});
  const auto old_call = upstream_.next();
  remove(key);
  auto after = begin({"a", "b"});
  const auto new_call = upstream_.next();
  answer(old_call);
  answer(new_call);
  EXPECT_EQ(vectors_of(before.wait()), expected({"a", "b"}));
  EXPECT_EQ(vectors_of(after.wait()), expected({"a", "b"}));
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_TRUE(embed("a").is_hit());
}

TEST_F(PurgeOfEmbeddingsTest, what_memory_had_of_a_batch_is_not_shared_after_its_purge) {
  answer_all();
  embed("a");
  const auto key = eventually_stored().at(0);
  upstream_.answer_with({});
  auto before = begin({"a", "b"});
  const auto old_call = upstream_.next();
  EXPECT_EQ(json::parse(old_call.body())["input"], json({"b"}));
  remove(key);
  auto after = begin({"a", "b"});
  const auto new_call = upstream_.next();
  EXPECT_EQ(json::parse(new_call.body())["input"], json({"a", "b"}));
  answer(old_call);
  answer(new_call);
  EXPECT_EQ(vectors_of(before.wait()), expected({"a", "b"}));
  EXPECT_EQ(vectors_of(after.wait()), expected({"a", "b"}));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
