#include "admin_client.hpp"

#include <gtest/gtest.h>

#include "serve/entry_filter.hpp"

namespace llm_edge_cache::app {
namespace {

TEST(AdminClientTest, a_choice_is_a_query_that_the_proxy_reads_back) {
  const EntryChoice choice{
      .model = "gpt 4&o", .tag = "r\xC3\xA9sum\xC3\xA9=", .max_age_seconds = 60};
  const auto query = choice.query();
  const auto filter = EntryFilter::of_query(std::string_view(query).substr(1));
  ASSERT_TRUE(filter.ok()) << query;
  EXPECT_EQ(filter->model, choice.model);
  EXPECT_EQ(filter->tag, choice.tag);
  EXPECT_EQ(filter->max_age_ms, 60'000);
}

TEST(AdminClientTest, no_choice_is_no_query) {
  EXPECT_EQ(EntryChoice().query(), "");
}

TEST(AdminClientTest, a_refusal_says_what_the_proxy_said) {
  const auto message = [](std::uint16_t status, std::string body) {
    return body_of(AdminAnswer{status, std::move(body)}).error().message;
  };
  EXPECT_EQ(message(401, R"({"error":{"code":"unauthorized"}})"),
            "answered status 401, unauthorized");
  EXPECT_EQ(message(400, R"({"error":{"code":"invalid_line","message":"line 3"}})"),
            "answered status 400, invalid_line: line 3");
  EXPECT_EQ(message(502, "<html>"), "answered status 502");
  EXPECT_EQ(body_of(AdminAnswer{200, "fine"}).value(), "fine");
}

TEST(AdminClientTest, nobody_listening_is_an_error) {
  AdminServer server;
  server.url = "http://127.0.0.1:1";
  EXPECT_FALSE(ask_admin(server, {.target = "/stats"}).ok());
  server.url = "127.0.0.1";
  EXPECT_EQ(ask_admin(server, {.target = "/stats"}).error().code, ErrorCode::kInvalidArgument);
}

TEST(AdminClientTest, a_token_file_that_cannot_be_read_is_an_error) {
  AdminServer server;
  server.token_file = "/nowhere/token";
  EXPECT_EQ(server.token().error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace llm_edge_cache::app
