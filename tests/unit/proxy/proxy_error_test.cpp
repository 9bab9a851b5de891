#include "proxy/proxy_error.hpp"

#include <gtest/gtest.h>

#include "proxy/dialects/dialects.hpp"

namespace llm_edge_cache::proxy {
namespace {

using http::FailedAt;

std::string code_of(FailedAt at, ErrorCode code) {
  const auto error = to_proxy_error({{code, ""}, at});
  return std::to_string(error.status) + " " + std::string(error.code);
}

TEST(ProxyErrorTest, tells_connecting_from_answering) {
  EXPECT_EQ(code_of(FailedAt::kConnect, ErrorCode::kUnavailable), "502 upstream_connect_failed");
  EXPECT_EQ(code_of(FailedAt::kConnect, ErrorCode::kDeadlineExceeded),
            "504 upstream_connect_timeout");
  EXPECT_EQ(code_of(FailedAt::kConnect, ErrorCode::kOverloaded), "503 upstream_overloaded");
  EXPECT_EQ(code_of(FailedAt::kFirstByte, ErrorCode::kDeadlineExceeded), "504 upstream_timeout");
  EXPECT_EQ(code_of(FailedAt::kFirstByte, ErrorCode::kUnavailable), "502 upstream_closed");
  EXPECT_EQ(code_of(FailedAt::kHead, ErrorCode::kProtocol), "502 upstream_invalid_response");
  EXPECT_EQ(code_of(FailedAt::kHead, ErrorCode::kTooLarge), "502 upstream_invalid_response");
  EXPECT_EQ(code_of(FailedAt::kBody, ErrorCode::kUnavailable), "502 upstream_truncated");
}

TEST(ProxyErrorTest, counts_calls_by_how_they_failed) {
  EXPECT_EQ(to_upstream_result({{ErrorCode::kDeadlineExceeded, ""}, FailedAt::kConnect}),
            UpstreamResult::kTimeout);
  EXPECT_EQ(to_upstream_result({{ErrorCode::kUnavailable, ""}, FailedAt::kConnect}),
            UpstreamResult::kConnectFailed);
  EXPECT_EQ(to_upstream_result({{ErrorCode::kProtocol, ""}, FailedAt::kBody}),
            UpstreamResult::kBroken);
}

TEST(ProxyErrorTest, the_servers_own_errors_speak_the_dialect) {
  const Dialects dialects;
  const auto format = make_error_formatter(dialects);
  const auto error = format(413, "body over 5 bytes", nullptr);
  EXPECT_EQ(error.content_type, "application/json");
  EXPECT_NE(error.body.find(R"("code":"request_too_large")"), std::string::npos);
  EXPECT_NE(error.body.find("body over 5 bytes"), std::string::npos);
  http::RequestHead head;
  head.target = "/v1/messages?beta=true";
  EXPECT_TRUE(format(413, "", &head).body.starts_with(R"({"type":"error")"));
}

TEST(ProxyErrorTest, whoever_is_over_a_rate_is_told_whole_seconds_and_never_none) {
  using std::chrono::milliseconds;
  for (const auto error_of : {rate_limited_error, credential_rate_error}) {
    EXPECT_EQ(error_of(milliseconds(0)).retry_after_s, 1U);
    EXPECT_EQ(error_of(milliseconds(999)).retry_after_s, 1U);
    EXPECT_EQ(error_of(milliseconds(1'000)).retry_after_s, 1U);
    EXPECT_EQ(error_of(milliseconds(1'001)).retry_after_s, 2U);
  }
}

TEST(ProxyErrorTest, limits_of_tenants_and_of_credentials_have_codes_of_their_own) {
  EXPECT_EQ(rate_limited_error({}).code, "tenant_rate_limit");
  EXPECT_EQ(credential_rate_error({}).code, "credential_rate_limit");
  EXPECT_EQ(too_many_concurrent_error().code, "tenant_concurrency_limit");
  EXPECT_EQ(credential_concurrency_error().code, "credential_concurrency_limit");
  for (const auto& error : {too_many_concurrent_error(), credential_concurrency_error()}) {
    EXPECT_EQ(error.status, 429U);
    EXPECT_EQ(error.retry_after_s, 1U);
  }
}

TEST(ProxyErrorTest, a_directive_that_cannot_be_used_is_the_clients_fault) {
  const auto error = directive_error({ErrorCode::kInvalidArgument, "x-llm-cache-ttl is wrong"});
  EXPECT_EQ(error.status, 400U);
  EXPECT_EQ(error.message, "x-llm-cache-ttl is wrong.");
}

}  // namespace
}  // namespace llm_edge_cache::proxy
