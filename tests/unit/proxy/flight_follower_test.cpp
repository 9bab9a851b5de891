#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

std::string big_stream(std::size_t bytes) {
  std::string events = sse({kRoleChunk});
  while (events.size() < bytes) events += sse({kHelloChunk});
  return events + sse({kStopChunk, kDone});
}

class FlightFollowerTest : public ProxyTest {
 protected:
  explicit FlightFollowerTest(ProxyTestOptions options = {}) : ProxyTest(std::move(options)) {}

  // Requests that have joined the flight which is under way, all of them.
  std::vector<PendingAnswer> start_followers(std::size_t count, std::string_view first_bytes) {
    std::vector<PendingAnswer> followers;
    for (std::size_t i = 0; i < count; ++i) followers.push_back(start_chat(kStreamQuestion));
    for (const auto& follower : followers) {
      EXPECT_TRUE(follower.eventually_received(first_bytes.size()));
    }
    return followers;
  }
};

TEST_F(FlightFollowerTest, all_who_ask_the_same_share_one_call_and_get_every_byte) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto first = sse({kRoleChunk, kHelloChunk});
  call.write(first);
  ASSERT_TRUE(leader.eventually_received(first.size()));
  auto followers = start_followers(20, first);
  const auto rest = sse({kWorldChunk, kStopChunk, kDone});
  call.write(rest);
  call.finish();
  EXPECT_EQ(leader.wait().body(), first + rest);
  for (auto& follower : followers) {
    const auto answer = follower.wait();
    EXPECT_EQ(answer.body(), first + rest);
    EXPECT_TRUE(answer.is_whole());
    EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; collapsed");
  }
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(requests(LookupOutcome::kMiss), 1U);
  EXPECT_EQ(requests(LookupOutcome::kCoalesced), 20U);
}

TEST_F(FlightFollowerTest, requests_for_json_share_one_call_too) {
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 10; ++i) pending.push_back(start_chat(kQuestion));
  const auto call = upstream_.next();
  call.respond_json(std::string(kHelloBody));
  for (auto& answer : pending) EXPECT_EQ(answer.wait().body(), kHelloBody);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(FlightFollowerTest, a_leader_that_hangs_up_does_not_end_the_flight) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto first = sse({kRoleChunk});
  call.write(first);
  ASSERT_TRUE(leader.eventually_received(first.size()));
  auto followers = start_followers(3, first);
  leader.hang_up();
  const auto rest = sse({kHelloChunk, kStopChunk, kDone});
  call.write(rest);
  call.finish();
  for (auto& follower : followers) EXPECT_EQ(follower.wait().body(), first + rest);
  EXPECT_TRUE(ask(kStreamQuestion).is_hit());
}

TEST_F(FlightFollowerTest, an_answer_that_nobody_waits_for_any_more_is_stored) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  leader.hang_up();
  call.respond_stream(hello_stream());
  ASSERT_TRUE(eventually([&] { return metrics().stores == 1; }));
  EXPECT_TRUE(ask(kStreamQuestion).is_hit());
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(FlightFollowerTest, a_call_for_no_store_ends_with_its_client) {
  auto pending = start_chat(kStreamQuestion, {{"Cache-Control", "no-store"}});
  const auto call = upstream_.next();
  call.start_stream();
  const auto first = sse({kRoleChunk});
  call.write(first);
  ASSERT_TRUE(pending.eventually_received(first.size()));
  pending.hang_up();
  EXPECT_TRUE(call.eventually_lost());
  EXPECT_TRUE(eventually([&] {
    return metrics().upstream_calls[static_cast<std::size_t>(UpstreamResult::kAbandoned)] == 1;
  }));
}

TEST_F(FlightFollowerTest, no_store_joins_nobody_and_nobody_joins_it) {
  auto shared = start_chat(kQuestion);
  const auto first = upstream_.next();
  auto lone = start_chat(kQuestion, {{"Cache-Control", "no-store"}});
  const auto second = upstream_.next();
  auto lone_too = start_chat(kQuestion, {{"Cache-Control", "no-store"}});
  const auto third = upstream_.next();
  for (const auto& call : {first, second, third}) call.respond_json(std::string(kHelloBody));
  for (auto* pending : {&shared, &lone, &lone_too}) EXPECT_EQ(pending->wait().status(), 200);
}

TEST_F(FlightFollowerTest, credentials_never_share_a_call) {
  auto one = start_chat(kQuestion, {{"Authorization", "Bearer a"}});
  const auto first = upstream_.next();
  auto two = start_chat(kQuestion, {{"Authorization", "Bearer b"}});
  const auto second = upstream_.next();
  first.respond_json(std::string(kHelloBody));
  second.respond_json(R"({"object":"chat.completion","id":"b","choices":[]})");
  EXPECT_EQ(one.wait().body(), kHelloBody);
  EXPECT_EQ(two.wait().body(), R"({"object":"chat.completion","id":"b","choices":[]})");
}

TEST_F(FlightFollowerTest, an_upstream_error_reaches_all_alike_and_ends_the_flight) {
  auto leader = start_chat(kQuestion);
  const auto call = upstream_.next();
  std::vector<PendingAnswer> followers;
  for (int i = 0; i < 4; ++i) followers.push_back(start_chat(kQuestion));
  ASSERT_TRUE(eventually([&] { return server_->connection_count() >= 5; }));
  call.respond(R"({"error":{"message":"slow down"}})",
               {{"Content-Type", "application/json"}, {"Retry-After", "7"}, {"x-request-id", "r"}},
               429);
  answer_json();
  EXPECT_EQ(leader.wait().header("x-request-id"), "r");
  for (auto& follower : followers) {
    const auto answer = follower.wait();
    if (answer.status() == 200) continue;  // asked after the flight had ended
    EXPECT_EQ(answer.status(), 429);
    EXPECT_EQ(answer.body(), R"({"error":{"message":"slow down"}})");
    EXPECT_EQ(answer.header("retry-after"), "7");
    EXPECT_EQ(answer.header("x-request-id"), "");
    EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; fwd-status=429; collapsed");
  }
  EXPECT_EQ(ask(kQuestion).status(), 200);
}

TEST_F(FlightFollowerTest, a_stream_that_breaks_off_is_cut_for_all_and_not_stored) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto first = sse({kRoleChunk, kHelloChunk});
  call.write(first);
  ASSERT_TRUE(leader.eventually_received(first.size()));
  auto followers = start_followers(3, first);
  call.abort();
  followers.push_back(std::move(leader));
  for (auto& follower : followers) {
    const auto answer = follower.wait();
    EXPECT_TRUE(answer.outcome.error.has_value());
    EXPECT_EQ(answer.body(), first);
  }
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kTruncated) == 1U; }));
  EXPECT_EQ(metrics().stores, 0U);
}

class SmallEntriesTest : public FlightFollowerTest {
 protected:
  static constexpr std::size_t kMaxEntryBytes = 64U << 10U;
  SmallEntriesTest() : FlightFollowerTest({.proxy = small_entries()}) {}

  static ProxyOptions small_entries() {
    ProxyOptions options;
    options.max_entry_bytes = kMaxEntryBytes;
    return options;
  }
};

TEST_F(SmallEntriesTest, an_answer_too_large_to_store_reaches_all_who_joined_whole) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto events = big_stream(10 * kMaxEntryBytes);
  call.write(events.substr(0, 100));
  ASSERT_TRUE(leader.eventually_received(100));
  auto followers = start_followers(3, events.substr(0, 100));
  call.write(events.substr(100));
  call.finish();
  EXPECT_TRUE(leader.wait().body() == events);
  for (auto& follower : followers) EXPECT_TRUE(follower.wait().body() == events);
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kTooLarge) == 1U; }));
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_FALSE([&] {
    answer_stream(hello_stream());
    return ask(kStreamQuestion).is_hit();
  }());
}

TEST_F(SmallEntriesTest, who_asks_after_it_outgrew_the_bound_starts_anew) {
  auto leader = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto events = big_stream(2 * kMaxEntryBytes);
  call.write(events);
  ASSERT_TRUE(leader.eventually_received(events.size()));
  answer_stream(hello_stream());
  EXPECT_EQ(ask(kStreamQuestion).body(), hello_stream());
  call.finish();
  EXPECT_TRUE(leader.wait().body() == events);
}

TEST_F(SmallEntriesTest, a_lone_slow_reader_gets_a_large_answer_whole) {
  auto pending = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  constexpr std::size_t kHalf = 6U << 20U;  // within what a server queues for one connection
  const auto events = big_stream(2 * kHalf);
  pending.stop_reading();
  call.write(events.substr(0, kHalf));
  pending.read_on();
  ASSERT_TRUE(pending.eventually_received(kHalf));
  call.write(events.substr(kHalf));
  call.finish();
  EXPECT_TRUE(pending.wait().body() == events);
}

TEST_F(FlightFollowerTest, a_slow_reader_holds_up_nobody) {
  auto slow = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  slow.stop_reading();
  call.start_stream();
  const auto events = big_stream(6U << 20U);
  call.write(events);
  auto quick = start_chat(kStreamQuestion);
  call.finish();
  EXPECT_TRUE(quick.wait().body() == events);
  slow.read_on();
  EXPECT_TRUE(slow.wait().body() == events);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
