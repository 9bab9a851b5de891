#include "base/constant_time.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache {
namespace {

TEST(ConstantTimeTest, equal_text_is_equal) {
  EXPECT_TRUE(constant_time_equal("secret", std::string("secret")));
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal({}, ""));
}

TEST(ConstantTimeTest, any_differing_byte_differs) {
  const std::string secret = "0123456789abcdef";
  for (std::size_t i = 0; i < secret.size(); ++i) {
    auto other = secret;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(constant_time_equal(secret, other)) << i;
  }
}

TEST(ConstantTimeTest, a_prefix_differs) {
  EXPECT_FALSE(constant_time_equal("secret", "secre"));
  EXPECT_FALSE(constant_time_equal("", "s"));
}

TEST(ConstantTimeTest, compares_beyond_zero_bytes) {
  EXPECT_FALSE(constant_time_equal(std::string("a\0b", 3), std::string("a\0c", 3)));
}

}  // namespace
}  // namespace llm_edge_cache
