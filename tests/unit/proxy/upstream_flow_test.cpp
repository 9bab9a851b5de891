// Requests through the whole proxy to groups of scripted upstreams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy_fixture.hpp"
#include "tests/support/free_port.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using ::testing::HasSubstr;

struct Providers {
  ScriptedUpstream first_;
  ScriptedUpstream second_;
};

void answer_hello(const UpstreamExchange& exchange) {
  exchange.respond_json(std::string(kHelloBody));
}

ScriptedUpstream::Script refuse_with(std::uint16_t status, const http::Headers& headers = {}) {
  return [status, headers](const UpstreamExchange& exchange) {
    auto all = headers;
    all.add("Content-Type", "application/json");
    exchange.respond(R"({"error":{"message":"no"}})", all, status);
  };
}

UpstreamGroup group_of(std::vector<UpstreamMember> members) {
  UpstreamGroup group;
  group.name = "chat";
  group.path = "/v1/chat/completions";
  group.members = std::move(members);
  return group;
}

ProxyTestOptions with_groups(std::vector<UpstreamGroup> groups) {
  ProxyTestOptions options;
  options.proxy.upstreams = std::move(groups);
  options.proxy.retries = {.max_retries = 2, .min_backoff_ms = 1, .max_backoff_ms = 2};
  return options;
}

// A base before the proxy's: the providers are there when its options are made.
using MakeOptions = ProxyTestOptions (*)(const Providers& providers);

ProxyTestOptions one_group_of_both(const Providers& providers) {
  return with_groups(
      {group_of({{.url = providers.first_.url()}, {.url = providers.second_.url()}})});
}

// The fixture's own upstream gets what no group takes.
class UpstreamFlowTest : public Providers, public ProxyTest {
 protected:
  explicit UpstreamFlowTest(MakeOptions make = one_group_of_both)
      : ProxyTest(make(static_cast<const Providers&>(*this))) {
    first_.answer_with(answer_hello);
    second_.answer_with(answer_hello);
  }

  [[nodiscard]] UpstreamMemberReport report_of(std::size_t member) const {
    return proxy_->upstreams().at(member);
  }
  [[nodiscard]] std::uint64_t attempts(std::size_t member, AttemptResult result) const {
    return report_of(member).attempts[static_cast<std::size_t>(result)];
  }
};

TEST_F(UpstreamFlowTest, a_request_goes_to_the_group_of_its_path) {
  EXPECT_EQ(ask(kQuestion).status(), 200);
  EXPECT_EQ(first_.calls(), 1);
  answer_json();
  EXPECT_EQ(request("GET", "/v1/models").status(), 200);
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(second_.calls(), 0);
}

TEST_F(UpstreamFlowTest, a_server_error_is_answered_by_the_next_member_with_the_same_request) {
  first_.answer_with(refuse_with(500));
  second_.answer_with(nullptr);
  auto pending = start_chat(kQuestion);
  const auto call = second_.next();
  EXPECT_EQ(call.body(), kQuestion);
  answer_hello(call);
  EXPECT_EQ(pending.wait().body(), kHelloBody);
  EXPECT_EQ(attempts(0, AttemptResult::kServerError), 1U);
  EXPECT_EQ(attempts(1, AttemptResult::kOk), 1U);
}

TEST_F(UpstreamFlowTest, failover_does_not_change_the_key) {
  first_.answer_with(refuse_with(500));
  EXPECT_FALSE(ask(kQuestion).is_hit());
  first_.answer_with(answer_hello);
  EXPECT_TRUE(ask(kQuestion).is_hit());
  EXPECT_EQ(first_.calls(), 1);
}

TEST_F(UpstreamFlowTest, a_rate_limit_that_says_when_is_waited_for_at_the_same_member) {
  first_.answer_with([this](const UpstreamExchange& exchange) {
    first_.answer_with(answer_hello);
    refuse_with(429, {{"Retry-After", "0"}})(exchange);
  });
  EXPECT_EQ(ask(kQuestion).status(), 200);
  EXPECT_EQ(first_.calls(), 2);
  EXPECT_EQ(second_.calls(), 0);
}

TEST_F(UpstreamFlowTest, a_rate_limit_that_stays_is_left_for_the_next_member) {
  first_.answer_with(refuse_with(429, {{"Retry-After", "0"}}));
  EXPECT_EQ(ask(kQuestion).status(), 200);
  EXPECT_EQ(first_.calls(), 3);
  EXPECT_EQ(second_.calls(), 1);
  EXPECT_EQ(attempts(0, AttemptResult::kRateLimited), 3U);
}

TEST_F(UpstreamFlowTest, the_last_refusal_passes_as_it_is_and_is_not_stored) {
  first_.answer_with(refuse_with(500));
  second_.answer_with(refuse_with(429));
  const auto answer = ask(kQuestion);
  EXPECT_EQ(answer.status(), 429);
  EXPECT_EQ(answer.body(), R"({"error":{"message":"no"}})");
  EXPECT_EQ(metrics().stores, 0U);
}

TEST_F(UpstreamFlowTest, a_refusal_of_the_request_itself_is_asked_of_nobody_else) {
  first_.answer_with(refuse_with(400));
  EXPECT_EQ(ask(kQuestion).status(), 400);
  EXPECT_EQ(second_.calls(), 0);
}

TEST_F(UpstreamFlowTest, nothing_is_tried_again_once_a_client_has_a_byte) {
  first_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start_stream();
    exchange.write(sse({kRoleChunk}));
    exchange.abort();
  });
  const auto answer = ask(kStreamQuestion);
  EXPECT_EQ(answer.body(), sse({kRoleChunk}));
  EXPECT_FALSE(answer.is_whole());
  EXPECT_EQ(second_.calls(), 0);
}

TEST_F(UpstreamFlowTest, a_connection_that_closes_without_an_answer_is_answered_by_the_next) {
  first_.answer_with([](const UpstreamExchange& exchange) { exchange.abort(); });
  EXPECT_EQ(ask(kQuestion).status(), 200);
  EXPECT_EQ(second_.calls(), 1);
}

TEST_F(UpstreamFlowTest, all_who_wait_for_one_answer_share_its_attempts) {
  first_.answer_with(nullptr);
  auto one = start_chat(kQuestion);
  const auto call = first_.next();
  auto other = start_chat(kQuestion);
  refuse_with(502)(call);
  EXPECT_EQ(one.wait().status(), 200);
  EXPECT_EQ(other.wait().status(), 200);
  EXPECT_EQ(first_.calls(), 1);
}

TEST_F(UpstreamFlowTest, a_client_that_hangs_up_while_a_retry_waits_leaves_nothing_behind) {
  first_.answer_with(refuse_with(429, {{"Retry-After", "4"}}));
  auto pending = start_chat(kQuestion, {{"Cache-Control", "no-store"}});
  ASSERT_TRUE(eventually([&] { return attempts(0, AttemptResult::kRateLimited) == 1U; }));
  pending.hang_up();
  EXPECT_TRUE(eventually([&] { return metrics().flights_active == 0; }));
  EXPECT_EQ(second_.calls(), 0);
}

TEST_F(UpstreamFlowTest, a_proxy_that_stops_does_not_wait_for_retries) {
  first_.answer_with(refuse_with(429, {{"Retry-After", "4"}}));
  auto pending = start_chat(kQuestion);
  ASSERT_TRUE(eventually([&] { return attempts(0, AttemptResult::kRateLimited) == 1U; }));
  proxy_->stop();
  server_->stop();
  EXPECT_TRUE(pending.wait().outcome.error.has_value());
}

TEST_F(UpstreamFlowTest, the_trace_of_a_request_goes_on_to_the_upstream) {
  first_.answer_with(nullptr);
  const auto* trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto pending = start_chat(kQuestion, {{"traceparent", trace}, {"tracestate", "a=1,b=2"}});
  const auto call = first_.next();
  EXPECT_EQ(call.head().headers.get("traceparent"), trace);
  EXPECT_EQ(call.head().headers.get("tracestate"), "a=1,b=2");
  answer_hello(call);
  EXPECT_EQ(pending.wait().header("traceparent"), "");
}

class DeadMemberTest : public UpstreamFlowTest {
 protected:
  DeadMemberTest()
      : UpstreamFlowTest([](const Providers& providers) {
          return with_groups({group_of({{.url = dead_url()}, {.url = providers.second_.url()}})});
        }) {}

  static std::string dead_url() {
    return "http://127.0.0.1:" + std::to_string(llm_edge_cache::test::free_port());
  }
};

TEST_F(DeadMemberTest, costs_one_attempt_once) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "no-store"}}).status(), 200);
  }
  EXPECT_EQ(second_.calls(), 5);
  EXPECT_EQ(attempts(0, AttemptResult::kConnectFailed), 1U);
  EXPECT_EQ(report_of(0).breaker, BreakerState::kOpen);
}

TEST_F(DeadMemberTest, a_passing_request_goes_to_the_next_member_as_well) {
  const auto state = R"({"model":"m-1","messages":1,"messages":2})";  // has no key
  EXPECT_EQ(ask(state).status(), 200);
  EXPECT_EQ(second_.calls(), 1);
}

class SilentMemberTest : public UpstreamFlowTest {
 protected:
  SilentMemberTest() : UpstreamFlowTest(hasty) { first_.answer_with(nullptr); }

  static ProxyTestOptions hasty(const Providers& providers) {
    auto options = one_group_of_both(providers);
    options.proxy.client.first_byte_timeout_ms = 20;
    return options;
  }
};

TEST_F(SilentMemberTest, is_given_up_for_the_next_and_then_passed_over) {
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "no-store"}}).status(), 200);
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "no-store"}}).status(), 200);
  EXPECT_EQ(first_.calls(), 1);
  EXPECT_EQ(attempts(0, AttemptResult::kTimeout), 1U);
}

TEST_F(SilentMemberTest, what_it_may_have_acted_on_is_not_sent_to_another) {
  const auto unkeyed = R"({"model":"m-1","messages":1,"messages":2})";
  EXPECT_EQ(ask(unkeyed).status(), 504);
  EXPECT_EQ(second_.calls(), 0);
}

// Connections are taken by the system, and nobody ever answers what is said on them: no TLS.
struct DeafListener {
  [[nodiscard]] std::string url() const {
    return "https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
};

class UnreachableTest : public DeafListener, public ProxyTest {
 protected:
  UnreachableTest() : ProxyTest(hasty(*this)) {}

  static ProxyTestOptions hasty(const DeafListener& listener) {
    auto options = with_groups({group_of({{.url = listener.url()}})});
    options.proxy.client.connect_timeout_ms = 20;
    return options;
  }
};

TEST_F(UnreachableTest, a_lonely_upstream_costs_the_deadline_of_a_connection_once) {
  for (int i = 0; i < 5; ++i) {
    const auto answer = ask(kQuestion);
    EXPECT_EQ(answer.status(), 504);
    EXPECT_THAT(answer.body(), HasSubstr("upstream_connect_timeout"));
  }
  const auto attempts = proxy_->upstreams().at(0).attempts;
  EXPECT_EQ(attempts[static_cast<std::size_t>(AttemptResult::kTimeout)], 1U);
}

// Drops who knocks, until it is opened; then takes connections and never answers.
class CrowdedListener {
 public:
  CrowdedListener() {
    acceptor_.listen(0);
    filler_.connect(acceptor_.local_endpoint());
    acceptor_.non_blocking(true);
  }
  void open() {
    acceptor_.listen();
    ASSERT_TRUE(takes_one());  // the filler
  }
  bool takes_one() {
    boost::system::error_code error;
    taken_.emplace_back(acceptor_.accept(error));
    return !error;
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  boost::asio::ip::tcp::socket filler_{context_};
  std::vector<boost::asio::ip::tcp::socket> taken_;
};

class ReachableAgainTest : public CrowdedListener, public ProxyTest {
 protected:
  ReachableAgainTest() : ProxyTest(hasty(*this)) {}

  static ProxyTestOptions hasty(const CrowdedListener& listener) {
    auto options = with_groups({group_of({{.url = listener.url()}})});
    options.proxy.client.connect_timeout_ms = 50;
    options.proxy.retries.open_ms = 20;
    return options;
  }
  // Requests with a connection stay: their answers never come.
  bool eventually_another_is_connected() {
    return eventually([&] {
      auto pending = start_chat(std::string(kQuestion), {{"Cache-Control", "no-store"}});
      waiting_.push_back(std::move(pending));
      return takes_one();
    });
  }
  std::vector<PendingAnswer> waiting_;
};

TEST_F(ReachableAgainTest, whoever_comes_after_a_connection_was_made_need_not_wait_for_its_answer) {
  EXPECT_THAT(ask(kQuestion).body(), HasSubstr("upstream_connect_timeout"));
  open();
  EXPECT_TRUE(eventually_another_is_connected());
  EXPECT_TRUE(eventually_another_is_connected());
  EXPECT_TRUE(eventually_another_is_connected());
}

class InjectedCredentialTest : public UpstreamFlowTest {
 protected:
  InjectedCredentialTest() : UpstreamFlowTest(mixed) {}

  static ProxyTestOptions mixed(const Providers& providers) {
    auto group = group_of(
        {{.url = providers.first_.url()},
         {.url = providers.second_.url(), .provider = "anthropic", .credential = "s3cret"}});
    group.provider = "openai";
    return with_groups({group});
  }
};

TEST_F(InjectedCredentialTest, a_clients_credential_stays_with_its_provider) {
  first_.answer_with(nullptr);
  second_.answer_with(nullptr);
  auto pending = start_chat(kQuestion, {{"Authorization", "Bearer mine"}});
  const auto at_first = first_.next();
  EXPECT_EQ(at_first.head().headers.get("authorization"), "Bearer mine");
  refuse_with(500)(at_first);
  const auto at_second = second_.next();
  EXPECT_FALSE(at_second.head().headers.contains("authorization"));
  EXPECT_EQ(at_second.head().headers.get("x-api-key"), "s3cret");
  answer_hello(at_second);
  EXPECT_EQ(pending.wait().status(), 200);
}

TEST_F(InjectedCredentialTest, the_scope_is_still_the_clients_own) {
  EXPECT_FALSE(ask(kQuestion, {{"Authorization", "Bearer mine"}}).is_hit());
  EXPECT_FALSE(ask(kQuestion, {{"Authorization", "Bearer yours"}}).is_hit());
  EXPECT_TRUE(ask(kQuestion, {{"Authorization", "Bearer mine"}}).is_hit());
}

class ModelRoutesTest : public UpstreamFlowTest {
 protected:
  ModelRoutesTest()
      : UpstreamFlowTest([](const Providers& providers) {
          return with_groups({by_model("one", "m-1", providers.first_.url()),
                              by_model("two", "m-2*", providers.second_.url())});
        }) {}

  static UpstreamGroup by_model(std::string name, std::string model, std::string url) {
    UpstreamGroup group;
    group.name = std::move(name);
    group.models = {std::move(model)};
    group.members = {{.url = std::move(url)}};
    return group;
  }
};

TEST_F(ModelRoutesTest, the_model_decides_and_the_rest_goes_to_the_default) {
  answer_json();
  EXPECT_EQ(ask(kQuestion).status(), 200);
  EXPECT_EQ(first_.calls(), 1);
  EXPECT_EQ(ask(R"({"model":"m-2b","messages":[]})").status(), 200);
  EXPECT_EQ(second_.calls(), 1);
  EXPECT_EQ(ask(R"({"model":"m-3","messages":[]})").status(), 200);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(ModelRoutesTest, the_model_of_a_passing_request_decides_too) {
  EXPECT_EQ(request("POST", "/v1/moderations", R"({"model":"m-2","input":"x"})").status(), 200);
  EXPECT_EQ(second_.calls(), 1);
}

TEST_F(ModelRoutesTest, embeddings_go_by_their_model) {
  second_.answer_with(refuse_with(400));
  EXPECT_EQ(request("POST", "/v1/embeddings", R"({"model":"m-2","input":"x"})").status(), 400);
  EXPECT_EQ(second_.calls(), 1);
}

TEST_F(UpstreamFlowTest, a_request_that_no_group_takes_gets_a_404_of_ours) {
  ProxyOptions options;
  options.upstreams = {group_of({{.url = first_.url()}})};
  auto lonely = std::make_shared<Proxy>(threads_, *cache_, clock_, options);
  http::Server server(threads_, http::on_free_port({}), lonely);
  const auto collector = std::make_shared<http::Collector>();
  const auto call =
      client_.start(http::origin_at(server.port()), http::request_head("POST", "/v1/embeddings"),
                    http::SharedBytes(std::string(R"({"model":"m","input":"x"})")), collector);
  const Answer answer{collector->wait()};
  EXPECT_EQ(answer.status(), 404);
  EXPECT_EQ(nlohmann::json::parse(answer.body())["error"]["code"], "no_upstream");
  EXPECT_THAT(answer.cache_status(), HasSubstr("detail=no_upstream"));
  server.stop();
  lonely->stop();
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
