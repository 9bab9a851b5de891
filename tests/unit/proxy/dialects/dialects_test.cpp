#include "proxy/dialects/dialects.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy::dialects_test {
namespace {

TEST(DialectsTest, finds_the_one_of_each_cached_endpoint) {
  const Dialects dialects;
  for (const auto* path : {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                           "/v1/responses", "/v1/messages"}) {
    const auto* const dialect = dialects.find("POST", path);
    ASSERT_NE(dialect, nullptr) << path;
    EXPECT_TRUE(dialect->matches("POST", path));
    EXPECT_EQ(dialects.find("GET", path), nullptr) << path;
  }
  EXPECT_EQ(dialects.find("POST", "/v1/embeddings"), &dialects.embeddings());
}

TEST(DialectsTest, leaves_everything_else_alone) {
  const Dialects dialects;
  for (const auto* path : {"/v1/models", "/v1/messages/count_tokens", "/v1/messages/batches",
                           "/v1/responses/resp_1", "/v1/", "", "/v1/chat/completions/"}) {
    EXPECT_EQ(dialects.find("POST", path), nullptr) << path;
  }
}

TEST(DialectsTest, speaks_to_each_path_in_its_own_words) {
  const Dialects dialects;
  const auto speaks_anthropic = [&](std::string_view path) {
    return dialects.spoken_at(path).error_body({500, "c", "m"}).starts_with(R"({"type":"error")");
  };
  for (const auto* path : {"/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"}) {
    EXPECT_TRUE(speaks_anthropic(path)) << path;
  }
  for (const auto* path : {"/v1/chat/completions", "/v1/messagesx", "/v1/models", ""}) {
    EXPECT_FALSE(speaks_anthropic(path)) << path;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::dialects_test
