#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "proxy_fixture.hpp"
#include "tests/support/free_port.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using nlohmann::json;

class UpstreamCallTest : public ProxyTest {
 protected:
  explicit UpstreamCallTest(ProxyTestOptions options = {}) : ProxyTest(std::move(options)) {}

  static std::string code_of(const Answer& answer) {
    const auto body = json::parse(answer.body(), nullptr, false);
    return body.is_discarded() ? "" : body["error"]["code"].get<std::string>();
  }
  void expect_never_stored(std::string_view question = kQuestion) {
    EXPECT_FALSE(ask(question).is_hit());
    EXPECT_FALSE(ask(question).is_hit());
    EXPECT_EQ(metrics().stores, 0U);
  }
};

std::string with_finish_reason(std::string_view reason) {
  auto body = json::parse(kHelloBody);
  body["choices"][0]["finish_reason"] = reason;
  return body.dump();
}

TEST_F(UpstreamCallTest, an_answer_cut_short_by_its_limit_passes_and_is_not_stored) {
  answer_json(with_finish_reason("length"));
  EXPECT_EQ(ask(kQuestion).body(), with_finish_reason("length"));
  expect_never_stored();
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kFinishReason) == 3U; }));
}

TEST_F(UpstreamCallTest, errors_pass_as_they_are_and_are_not_stored) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{400, 401, 429, 500, 503}) {
    upstream_.answer_with([status](const UpstreamExchange& exchange) {
      exchange.respond_json(R"({"error":{"message":"no"}})", status);
    });
    const auto answer = ask(kQuestion);
    EXPECT_EQ(answer.status(), status);
    EXPECT_EQ(answer.body(), R"({"error":{"message":"no"}})");
    EXPECT_EQ(answer.cache_status(),
              "llm-edge-cache; fwd=miss; fwd-status=" + std::to_string(status));
  }
  expect_never_stored();
}

TEST_F(UpstreamCallTest, an_error_with_status_200_passes_and_is_not_stored) {
  answer_json(R"({"error":{"message":"overloaded"}})");
  EXPECT_EQ(ask(kQuestion).body(), R"({"error":{"message":"overloaded"}})");
  expect_never_stored();
}

TEST_F(UpstreamCallTest, a_stream_without_its_terminal_event_passes_and_is_not_stored) {
  answer_stream(sse({kRoleChunk, kHelloChunk, kStopChunk}));
  EXPECT_EQ(ask(kStreamQuestion).body(), sse({kRoleChunk, kHelloChunk, kStopChunk}));
  expect_never_stored(kStreamQuestion);
}

TEST_F(UpstreamCallTest, an_answer_in_another_form_than_asked_for_is_not_stored) {
  answer_json();
  EXPECT_EQ(ask(kStreamQuestion).body(), kHelloBody);
  EXPECT_TRUE(eventually([&] { return refusals(StoreRefusal::kContentType) == 1U; }));
  expect_never_stored(kStreamQuestion);
}

TEST_F(UpstreamCallTest, compressed_bytes_pass_with_their_name_and_are_not_stored) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond("\x1f\x8b...",
                     {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}});
  });
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.header("content-encoding"), "gzip");
  EXPECT_EQ(answer.body(), "\x1f\x8b...");
  expect_never_stored();
}

TEST_F(UpstreamCallTest, json_of_unknown_length_passes_as_it_comes_and_is_stored) {
  auto pending = start_chat(kQuestion);
  const auto call = upstream_.next();
  call.start({{"Content-Type", "application/json"}});
  call.write("\n");  // some providers keep the connection alive so
  EXPECT_TRUE(pending.eventually_received(1));
  call.write(std::string(kHelloBody));
  call.finish();
  EXPECT_EQ(pending.wait().body(), "\n" + std::string(kHelloBody));
  EXPECT_TRUE(ask(kQuestion).is_hit());
}

TEST_F(UpstreamCallTest, json_that_breaks_off_short_of_its_length_is_a_clean_error) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start({{"Content-Type", "application/json"}, {"Content-Length", "500"}});
    exchange.write(std::string(kHelloBody.substr(0, 100)));
    exchange.abort();
  });
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(code_of(answer), "upstream_truncated");
  expect_never_stored();
}

TEST_F(UpstreamCallTest, json_of_unknown_length_that_breaks_off_is_cut) {
  auto pending = start_chat(kQuestion);
  const auto call = upstream_.next();
  call.start({{"Content-Type", "application/json"}});
  call.write("{");
  ASSERT_TRUE(pending.eventually_received(1));
  call.abort();
  EXPECT_TRUE(pending.wait().outcome.error.has_value());
  EXPECT_EQ(metrics().stores, 0U);
}

TEST_F(UpstreamCallTest, an_upstream_that_closes_without_an_answer_is_a_502) {
  upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.abort(); });
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(code_of(answer), "upstream_closed");
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; detail=upstream_closed");
  EXPECT_EQ(metrics().own_errors, 1U);
}

TEST_F(UpstreamCallTest, a_request_over_the_limit_is_refused_in_the_dialect) {
  const auto answer = ask(std::string(33U << 20U, ' '));
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(code_of(answer), "request_too_large");
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_F(UpstreamCallTest, calls_end_when_the_proxy_stops) {
  auto pending = start_chat(kQuestion);
  const auto call = upstream_.next();
  proxy_->stop();
  EXPECT_TRUE(call.eventually_lost());
  server_->stop();
  EXPECT_TRUE(pending.wait().outcome.error.has_value());
}

TEST_F(UpstreamCallTest, a_proxy_that_has_stopped_says_so) {
  proxy_->stop();
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(code_of(answer), "shutting_down");
  EXPECT_EQ(request("GET", "/v1/models").status(), 503);
}

class DeadUpstreamTest : public UpstreamCallTest {
 protected:
  DeadUpstreamTest() : UpstreamCallTest({.proxy = dead_upstream()}) {}

  static ProxyOptions dead_upstream() {
    ProxyOptions options;
    options.upstream_url = "http://127.0.0.1:" + std::to_string(llm_edge_cache::test::free_port());
    return options;
  }
};

TEST_F(DeadUpstreamTest, no_connection_is_a_502_that_says_so) {
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(code_of(answer), "upstream_connect_failed");
  EXPECT_EQ(code_of(ask(kStreamQuestion)), "upstream_connect_failed");
  EXPECT_EQ(code_of(request("GET", "/v1/models")), "upstream_connect_failed");
}

class HastyProxyTest : public UpstreamCallTest {
 protected:
  HastyProxyTest() : UpstreamCallTest({.proxy = hasty()}) {}

  static ProxyOptions hasty() {
    ProxyOptions options;
    options.client.first_byte_timeout_ms = 20;
    options.client.idle_read_timeout_ms = 20;
    return options;
  }
};

TEST_F(HastyProxyTest, an_upstream_that_says_nothing_is_a_504) {
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 504);
  EXPECT_EQ(code_of(answer), "upstream_timeout");
  EXPECT_EQ(metrics().upstream_calls[static_cast<std::size_t>(UpstreamResult::kTimeout)], 1U);
}

TEST_F(HastyProxyTest, a_stream_that_stalls_is_cut) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start_stream();
    exchange.write(sse({kRoleChunk}));
  });
  const auto answer = ask(kStreamQuestion);
  EXPECT_TRUE(answer.outcome.error.has_value());
  EXPECT_EQ(answer.body(), sse({kRoleChunk}));
  EXPECT_EQ(metrics().stores, 0U);
}

// Sends a little now and then, which keeps a connection's deadlines off, and never comes to an end.
class TricklingProviderTest : public UpstreamCallTest {
 protected:
  TricklingProviderTest() : UpstreamCallTest(impatient()) {}

  UpstreamExchange begin() {
    const auto call = upstream_.next();
    call.start_stream();
    answer_stream(hello_stream());
    return call;
  }
};

TEST_F(TricklingProviderTest, is_given_up_when_nobody_waits_any_more) {
  auto pending = start_chat(kStreamQuestion);
  const auto call = begin();
  pending.hang_up();
  EXPECT_TRUE(eventually([&] {
    call.write(": ping\n\n");
    return metrics().flights_active == 0;
  }));
  EXPECT_EQ(refusals(StoreRefusal::kTookTooLong), 1U);
  EXPECT_EQ(ask(kStreamQuestion).body(), hello_stream());
}

TEST_F(TricklingProviderTest, does_not_keep_others_from_asking_and_loses_nobody_who_waits) {
  auto first = start_chat(kStreamQuestion);
  const auto call = begin();
  std::vector<PendingAnswer> others;
  EXPECT_TRUE(eventually([&] {
    call.write(": ping\n\n");
    others.push_back(start_chat(kStreamQuestion));
    return upstream_.calls() == 2;
  }));
  EXPECT_EQ(others.back().wait().body(), hello_stream());
  call.write(hello_stream());
  call.finish();
  const auto answer = first.wait();
  EXPECT_TRUE(answer.is_whole());
  EXPECT_TRUE(answer.body().ends_with(hello_stream()));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
