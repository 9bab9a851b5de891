// Answers past their life: given at once while they are asked for anew, or because the provider
// failed.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using nlohmann::json;

ProxyOptions options_with_windows() {
  ProxyOptions options;
  options.ttl_ms = 60'000;
  options.stale_while_revalidate_ms = 30'000;
  options.stale_if_error_ms = 600'000;
  return options;
}

std::string answer_with_id(std::string_view id) {
  auto body = json::parse(kHelloBody);
  body["id"] = id;
  return body.dump();
}

class StaleFlowTest : public ProxyTest {
 protected:
  explicit StaleFlowTest(ProxyTestOptions options = {.proxy = options_with_windows()})
      : ProxyTest(std::move(options)) {}

  // The answer "old", stored so many seconds ago.
  void store_old(std::int64_t seconds_ago, std::string_view question = kQuestion) {
    answer_json(answer_with_id("old"));
    ask(question);
    clock_->advance_ms(seconds_ago * 1'000);
  }
  void answer_status(std::uint16_t status) {
    upstream_.answer_with([status](const UpstreamExchange& exchange) {
      exchange.respond_json(R"({"error":{"message":"no"}})", status);
    });
  }
  void answer_nothing() {
    upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.abort(); });
  }
  void hold_answers() { upstream_.answer_with({}); }

  static std::string id_of(const Answer& answer) {
    const auto body = json::parse(answer.body(), nullptr, false);
    return body.is_object() && body.contains("id") ? body["id"].get<std::string>() : answer.body();
  }
  [[nodiscard]] bool eventually_calls(int calls) const {
    return eventually([&] { return upstream_.calls() == calls; });
  }
  [[nodiscard]] bool eventually_no_flight() const {
    return eventually([&] { return metrics().flights_active == 0; });
  }
};

class StaleWhileRevalidateTest : public StaleFlowTest {};

TEST_F(StaleWhileRevalidateTest, the_stale_answer_comes_at_once_and_the_next_one_is_new) {
  store_old(61);
  hold_answers();
  const auto stale = start_chat(kQuestion).wait();
  EXPECT_EQ(stale.status(), 200);
  EXPECT_EQ(id_of(stale), "old");
  EXPECT_EQ(stale.cache_status(), "llm-edge-cache; hit; ttl=-1; detail=stale_while_revalidate");
  EXPECT_EQ(stale.header("age"), "61");
  upstream_.next().respond_json(answer_with_id("new"));
  ASSERT_TRUE(eventually_no_flight());
  const auto fresh = ask(kQuestion);
  EXPECT_EQ(id_of(fresh), "new");
  EXPECT_EQ(fresh.cache_status(), "llm-edge-cache; hit; ttl=60; detail=l1");
  EXPECT_EQ(upstream_.calls(), 2);
  EXPECT_EQ(requests(LookupOutcome::kStale), 1U);
  EXPECT_EQ(requests(LookupOutcome::kL1Hit), 1U);
}

TEST_F(StaleWhileRevalidateTest, however_many_ask_one_flight_refreshes) {
  store_old(61);
  hold_answers();
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 8; ++i) {
    pending.push_back(start_chat(kQuestion));
    pending.push_back(start_chat(kStreamQuestion));
  }
  for (auto& answer : pending) EXPECT_TRUE(answer.wait().is_hit());
  ASSERT_TRUE(eventually_calls(2));
  clock_->advance_ms(RefreshPacer::kIntervalMs);  // the flight alone holds them together now
  EXPECT_TRUE(start_chat(kStreamQuestion).wait().is_hit());
  EXPECT_TRUE(start_chat(kQuestion).wait().is_hit());
  EXPECT_EQ(upstream_.calls(), 2);
  upstream_.next().respond_json(answer_with_id("new"));
  ASSERT_TRUE(eventually_no_flight());
  EXPECT_EQ(requests(LookupOutcome::kStale), 18U);
}

TEST_F(StaleWhileRevalidateTest, who_cannot_have_the_stale_answer_shares_the_refresh) {
  store_old(61);
  hold_answers();
  EXPECT_TRUE(start_chat(kQuestion).wait().is_hit());
  const auto refresh = upstream_.next();
  auto follower = start_chat(kQuestion, {{"Cache-Control", "max-age=5"}});
  refresh.start({{"Content-Type", "application/json"}});
  refresh.write(answer_with_id("new"));
  refresh.finish();
  EXPECT_EQ(id_of(follower.wait()), "new");
  ASSERT_TRUE(eventually_no_flight());
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(StaleWhileRevalidateTest, a_flight_that_is_under_way_is_refresh_enough) {
  store_old(61);
  hold_answers();
  auto demanding = start_chat(kQuestion, {{"Cache-Control", "max-age=5"}});
  const auto call = upstream_.next();
  EXPECT_EQ(id_of(start_chat(kQuestion).wait()), "old");
  EXPECT_EQ(id_of(start_chat(kQuestion).wait()), "old");
  EXPECT_EQ(upstream_.calls(), 2);
  call.respond_json(answer_with_id("new"));
  EXPECT_EQ(id_of(demanding.wait()), "new");
}

TEST_F(StaleWhileRevalidateTest, a_request_that_stores_nothing_refreshes_nothing_and_asks) {
  store_old(61);
  hold_answers();
  auto pending = start_chat(kQuestion, {{"x-llm-cache-ttl", "0"}});
  upstream_.next().respond_json(answer_with_id("new"));
  EXPECT_EQ(id_of(pending.wait()), "new");
}

TEST_F(StaleWhileRevalidateTest, a_refresh_that_fails_leaves_the_stale_entry) {
  store_old(61);
  int calls = 1;
  for (const auto& failing : std::vector<std::function<void()>>{
           [this] { answer_status(503); }, [this] { answer_status(429); },
           [this] { answer_nothing(); }, [this] { answer_json("not json"); }}) {
    failing();
    EXPECT_EQ(id_of(start_chat(kQuestion).wait()), "old");
    ASSERT_TRUE(eventually_calls(++calls));
    ASSERT_TRUE(eventually_no_flight());
    clock_->advance_ms(RefreshPacer::kIntervalMs);
  }
  EXPECT_EQ(id_of(start_chat(kQuestion).wait()), "old");
}

TEST_F(StaleWhileRevalidateTest, a_provider_that_fails_is_not_asked_by_every_request) {
  store_old(61);
  answer_status(503);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(ask(kQuestion).is_hit());
    ASSERT_TRUE(eventually_no_flight());
  }
  EXPECT_EQ(upstream_.calls(), 2);
  clock_->advance_ms(RefreshPacer::kIntervalMs);
  EXPECT_TRUE(ask(kQuestion).is_hit());
  EXPECT_TRUE(eventually_calls(3));
}

TEST_F(StaleWhileRevalidateTest, a_failed_refresh_is_counted_as_what_it_was) {
  store_old(61);
  answer_status(503);
  ask(kQuestion);
  ASSERT_TRUE(eventually([&] {
    return metrics().upstream_calls[static_cast<std::size_t>(UpstreamResult::kServerError)] == 1;
  }));
  EXPECT_EQ(metrics().own_errors, 0U);
}

TEST_F(StaleWhileRevalidateTest, a_client_that_leaves_does_not_end_the_refresh) {
  store_old(61);
  hold_answers();
  auto client = start_chat(kQuestion);
  client.wait();
  client.hang_up();
  upstream_.next().respond_json(answer_with_id("new"));
  ASSERT_TRUE(eventually_no_flight());
  EXPECT_EQ(id_of(ask(kQuestion)), "new");
}

TEST_F(StaleWhileRevalidateTest, past_its_window_the_provider_is_asked_first) {
  store_old(90);
  answer_json(answer_with_id("new"));
  const auto answer = ask(kQuestion);
  EXPECT_EQ(id_of(answer), "new");
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=stale; stored");
}

TEST_F(StaleWhileRevalidateTest, only_if_cached_takes_it_and_makes_no_call) {
  store_old(61);
  hold_answers();
  EXPECT_EQ(id_of(start_chat(kQuestion, {{"Cache-Control", "only-if-cached"}}).wait()), "old");
  EXPECT_EQ(metrics().flights_active, 0U);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(StaleWhileRevalidateTest, a_form_that_cannot_be_derived_is_no_stale_answer) {
  answer_stream(hello_stream());
  ask(kStreamQuestion);
  clock_->advance_ms(61'000);
  answer_stream(hello_stream_with_usage());
  EXPECT_FALSE(ask(kUsageQuestion).is_hit());
}

TEST_F(StaleFlowTest, max_stale_takes_more_than_the_window_and_asks_nobody) {
  store_old(200);
  hold_answers();
  const auto answer = start_chat(kQuestion, {{"Cache-Control", "max-stale=140"}}).wait();
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; hit; ttl=-140; detail=max_stale");
  EXPECT_EQ(requests(LookupOutcome::kStale), 1U);
  EXPECT_EQ(metrics().flights_active, 0U);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(StaleFlowTest, min_fresh_wants_an_answer_that_will_do_for_a_while) {
  store_old(50);
  EXPECT_TRUE(ask(kQuestion, {{"Cache-Control", "min-fresh=9"}}).is_hit());
  const auto answer = ask(kQuestion, {{"Cache-Control", "min-fresh=11"}});
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=request; stored");
  EXPECT_EQ(upstream_.calls(), 2);
}

class StaleIfErrorTest : public StaleFlowTest {};

TEST_F(StaleIfErrorTest, the_last_good_answer_stands_in_for_a_failing_provider) {
  store_old(160);
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{500, 502, 503, 504, 529, 429}) {
    answer_status(status);
    const auto answer = ask(kQuestion);
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(id_of(answer), "old");
    EXPECT_EQ(answer.cache_status(),
              "llm-edge-cache; fwd=stale; fwd-status=" + std::to_string(status) +
                  "; ttl=-100; detail=stale_if_error");
    EXPECT_EQ(answer.header("age"), "160");
  }
  EXPECT_EQ(requests(LookupOutcome::kStale), 6U);
  EXPECT_EQ(metrics().requests_total, 7U);
  EXPECT_EQ(metrics().own_errors, 0U);
}

TEST_F(StaleIfErrorTest, and_for_one_that_closes_or_breaks_off) {
  store_old(160);
  answer_nothing();
  EXPECT_EQ(ask(kQuestion).cache_status(),
            "llm-edge-cache; fwd=stale; ttl=-100; detail=stale_if_error");
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start({{"Content-Type", "application/json"}, {"Content-Length", "1000"}});
    exchange.write("{");
    exchange.abort();
  });
  EXPECT_EQ(id_of(ask(kQuestion)), "old");
}

TEST_F(StaleIfErrorTest, what_the_provider_says_about_the_request_is_for_the_client) {
  store_old(160);
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{400, 401, 403, 404, 422}) {
    answer_status(status);
    const auto answer = ask(kQuestion);
    EXPECT_EQ(answer.status(), status);
    EXPECT_EQ(answer.cache_status(),
              "llm-edge-cache; fwd=stale; fwd-status=" + std::to_string(status));
  }
  EXPECT_EQ(requests(LookupOutcome::kStale), 0U);
}

TEST_F(StaleIfErrorTest, an_answer_that_has_begun_is_never_replaced) {
  store_old(160, kStreamQuestion);
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start_stream();
    exchange.write(sse({kRoleChunk}));
    exchange.abort();
  });
  const auto answer = ask(kStreamQuestion);
  EXPECT_FALSE(answer.is_whole());
}

TEST_F(StaleIfErrorTest, ends_with_its_window) {
  store_old(660);
  answer_status(503);
  EXPECT_EQ(ask(kQuestion).status(), 503);
}

TEST_F(StaleIfErrorTest, a_request_can_ask_for_less_or_nothing) {
  store_old(160);
  answer_status(503);
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "stale-if-error=100"}}).status(), 200);
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "stale-if-error=99"}}).status(), 503);
  for (const auto* strict :
       {"stale-if-error=0", "max-age=30", "min-fresh=1", "no-cache", "no-store", "max-stale=50"}) {
    EXPECT_EQ(ask(kQuestion, {{"Cache-Control", strict}}).status(), 503) << strict;
  }
}

TEST_F(StaleIfErrorTest, a_fresh_answer_that_is_too_old_for_the_request_stands_in_too) {
  store_old(30);
  answer_status(503);
  const auto answer = ask(kQuestion, {{"Cache-Control", "max-age=10, stale-if-error=60"}});
  EXPECT_EQ(answer.cache_status(),
            "llm-edge-cache; fwd=request; fwd-status=503; ttl=30; detail=stale_if_error");
}

TEST_F(StaleIfErrorTest, all_who_share_the_failing_call_are_helped) {
  store_old(160);
  hold_answers();
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(start_chat(kQuestion));
  const auto call = upstream_.next();
  auto strict = start_chat(kQuestion, {{"Cache-Control", "stale-if-error=0"}});
  answer_status(503);  // for whoever comes after the flight has failed
  call.respond_json("{}", 503);
  for (auto& answer : pending) EXPECT_EQ(id_of(answer.wait()), "old");
  EXPECT_EQ(strict.wait().status(), 503);
}

TEST_F(StaleIfErrorTest, it_is_given_in_the_form_that_is_wanted) {
  store_old(160);
  answer_status(503);
  const auto answer = ask(kStreamQuestion);
  EXPECT_TRUE(answer.body().ends_with("data: [DONE]\n\n"));
}

TEST_F(StaleIfErrorTest, the_provider_may_answer_again) {
  store_old(160);
  answer_status(503);
  ask(kQuestion);
  answer_json(answer_with_id("new"));
  EXPECT_EQ(id_of(ask(kQuestion)), "new");
  EXPECT_TRUE(ask(kQuestion).is_hit());
}

class SharedStaleTest : public StaleFlowTest {
 protected:
  SharedStaleTest() : StaleFlowTest({.proxy = options_with_windows(), .has_l2 = true}) {}

  // As in a second instance, or after a restart.
  void forget_memory() { l1_->erase_all(); }
  [[nodiscard]] KeyDigest key_of_question() const {
    auto options = options_with_windows();
    options.upstream_url = upstream_.url();
    options.scope_secret = "secret";
    return RequestKeyer(options)
        .key_of(OpenAiChatDialect(), http::request_head("POST", "/v1/chat/completions"), "",
                kQuestion)
        ->key;
  }
};

TEST_F(SharedStaleTest, the_shared_store_keeps_stale_answers_and_they_refresh) {
  store_old(61);
  forget_memory();
  answer_json(answer_with_id("new"));
  const auto stale = start_chat(kQuestion).wait();
  EXPECT_EQ(id_of(stale), "old");
  EXPECT_EQ(stale.cache_status(), "llm-edge-cache; hit; ttl=-1; detail=stale_while_revalidate");
  ASSERT_TRUE(eventually_calls(2));
  ASSERT_TRUE(eventually_no_flight());
  EXPECT_EQ(id_of(ask(kQuestion)), "new");
  EXPECT_EQ(requests(LookupOutcome::kStale), 1U);
}

TEST_F(SharedStaleTest, the_shared_store_has_the_last_good_answer) {
  store_old(110);
  forget_memory();
  answer_status(503);
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.cache_status(),
            "llm-edge-cache; fwd=stale; fwd-status=503; ttl=-50; detail=stale_if_error");
}

TEST_F(SharedStaleTest, a_promoted_entry_keeps_its_end) {
  store_old(30);
  forget_memory();
  EXPECT_TRUE(ask(kQuestion).is_hit());  // into memory, with what is left of it
  clock_->advance_ms(31'000);
  hold_answers();
  const auto gets_before = l2_->gets();
  EXPECT_EQ(start_chat(kQuestion).wait().cache_status(),
            "llm-edge-cache; hit; ttl=-1; detail=stale_while_revalidate");
  upstream_.next().respond_json(answer_with_id("new"));
  ASSERT_TRUE(eventually_no_flight());
  EXPECT_EQ(l2_->gets(), gets_before + 1);  // by the refresh
}

TEST_F(SharedStaleTest, what_another_instance_refreshed_needs_no_call) {
  store_old(61);
  auto fresh = std::make_shared<Entry>(*cache_->lookup_l1(key_of_question()).entry);
  fresh->response.content = answer_with_id("new");
  fresh->expires_ms = clock_->now_ms() + 60'000;
  l2_->put(key_of_question(), fresh);
  EXPECT_EQ(id_of(start_chat(kQuestion).wait()), "old");
  ASSERT_TRUE(eventually([&] { return id_of(start_chat(kQuestion).wait()) == "new"; }));
  EXPECT_EQ(upstream_.calls(), 1);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
