#include "proxy/dialects/padding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy::padding_test {
namespace {

TEST(StripPaddingTest, removes_the_member_and_keeps_the_rest) {
  const auto stripped = strip_padding(
      ": ping\n\nevent: e\ndata: {\"a\":1,\"obfuscation\":\"xy\"}\n\ndata: [DONE]\n\n");
  ASSERT_TRUE(stripped.ok());
  EXPECT_EQ(**stripped, ": ping\n\nevent: e\ndata: {\"a\":1}\n\ndata: [DONE]\n\n");
}

TEST(StripPaddingTest, leaves_the_word_within_text_alone) {
  const std::string stream = "data: { \"text\": \"obfuscation\" }\n\n";
  EXPECT_TRUE(is_padded(stream));
  EXPECT_EQ(**strip_padding(stream), stream);
}

TEST(StripPaddingTest, refuses_an_event_whose_other_fields_would_be_lost) {
  EXPECT_FALSE(strip_padding("id: 7\ndata: {\"obfuscation\":\"x\"}\n\n").ok());
  EXPECT_FALSE(strip_padding("data: {\ndata: \"obfuscation\":\"x\"}\n\n").ok());
}

}  // namespace
}  // namespace llm_edge_cache::proxy::padding_test
