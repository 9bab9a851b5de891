#include "base/key_digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache {
namespace {

constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1dfeff";

KeyDigest sample() {
  KeyDigest key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    key.bytes[i] = static_cast<std::uint8_t>(i);
  }
  key.bytes[30] = 0xFE;
  key.bytes[31] = 0xFF;
  return key;
}

TEST(KeyDigestTest, is_written_as_lower_case_hex) {
  EXPECT_EQ(to_hex(sample()), kHex);
}

TEST(KeyDigestTest, its_short_name_is_the_first_sixteen_digits) {
  EXPECT_EQ(ShortHex(sample()).view(), kHex.substr(0, 16));
}

TEST(KeyDigestTest, is_read_back_from_hex) {
  EXPECT_EQ(key_digest_from_hex(kHex), sample());
}

TEST(KeyDigestTest, refuses_other_text) {
  std::string text(kHex);
  EXPECT_FALSE(key_digest_from_hex(""));
  EXPECT_FALSE(key_digest_from_hex(text.substr(1)));
  EXPECT_FALSE(key_digest_from_hex(text + "0"));
  for (const char wrong : {'g', 'F', ' ', '\0', '/', ':'}) {
    auto bad = text;
    bad[63] = wrong;
    EXPECT_FALSE(key_digest_from_hex(bad)) << wrong;
  }
}

TEST(KeyDigestTest, view_is_the_bytes) {
  const auto key = sample();
  EXPECT_EQ(key.view().size(), 32U);
  EXPECT_EQ(key.view()[31], '\xFF');
}

TEST(KeyDigestTest, hash_and_order_follow_the_bytes) {
  auto other = sample();
  EXPECT_EQ(other.hash(), sample().hash());
  other.bytes[0] = 1;
  EXPECT_NE(other.hash(), sample().hash());
  EXPECT_LT(sample(), other);
}

}  // namespace
}  // namespace llm_edge_cache
