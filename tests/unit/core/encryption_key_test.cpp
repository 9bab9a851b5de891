#include "llm_edge_cache/encryption_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <new>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The bytes 0 to 31.
constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

bool is_the_key(const Result<EncryptionKey>& key) {
  if (!key.ok()) {
    return false;
  }
  std::uint8_t expected = 0;
  return std::ranges::all_of(key->bytes(), [&](std::uint8_t byte) { return byte == expected++; });
}

TEST(EncryptionKeyTest, is_read_from_hex_and_from_base64) {
  EXPECT_TRUE(is_the_key(EncryptionKey::parse(kHex)));
  EXPECT_TRUE(is_the_key(EncryptionKey::parse(kBase64)));
  EXPECT_TRUE(is_the_key(EncryptionKey::parse(kBase64.substr(0, 43))));
  auto upper = std::string(kHex);
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' ? c - 32 : c; });
  EXPECT_TRUE(is_the_key(EncryptionKey::parse(upper)));
}

TEST(EncryptionKeyTest, white_space_around_it_does_not_count) {
  EXPECT_TRUE(is_the_key(EncryptionKey::parse(" \t" + std::string(kHex) + "\r\n")));
  EXPECT_TRUE(is_the_key(EncryptionKey::parse("\n" + std::string(kBase64) + "\n")));
}

TEST(EncryptionKeyTest, what_is_no_key_is_refused_without_being_repeated) {
  const std::string hex(kHex);
  const std::string base64(kBase64);
  for (const auto& text :
       {std::string(), std::string(" "), hex.substr(1), hex + "0", hex.substr(1) + "g",
        base64.substr(0, 42), base64 + "=", "=" + base64.substr(1), base64.substr(0, 42) + "==",
        "!" + base64.substr(1), base64.substr(0, 20) + " " + base64.substr(21),
        std::string("correct horse battery staple")}) {
    const auto key = EncryptionKey::parse(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(key.error().message, "an encryption key is 32 bytes, as 64 hex digits or in base64");
  }
}

class EncryptionKeyFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string written(std::string_view text, ::mode_t mode = 0600) const {
    const auto path = (directory_.path() / "key").string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static void expect_refused(const std::string& path, ErrorCode code, const std::string& reason) {
    const auto key = EncryptionKey::load(path);
    ASSERT_FALSE(key.ok()) << reason;
    EXPECT_EQ(key.error().code, code);
    EXPECT_THAT(key.error().message, HasSubstr(path));
    EXPECT_THAT(key.error().message, HasSubstr(reason));
    EXPECT_THAT(key.error().message, Not(HasSubstr(std::string(kHex.substr(0, 16)))));
  }

  test::TempDir directory_;
};

TEST_F(EncryptionKeyFileTest, is_read_from_a_file_of_its_owner) {
  EXPECT_TRUE(is_the_key(EncryptionKey::load(written(std::string(kHex) + "\n"))));
  EXPECT_TRUE(is_the_key(EncryptionKey::load(written(kBase64, 0400))));
}

TEST_F(EncryptionKeyFileTest, a_group_may_read_it) {
  EXPECT_TRUE(is_the_key(EncryptionKey::load(written(kHex, 0440))));
}

TEST_F(EncryptionKeyFileTest, a_file_that_every_user_can_reach_is_refused) {
  for (const ::mode_t mode : {0644U, 0604U, 0602U, 0601U}) {
    expect_refused(written(kHex, mode), ErrorCode::kIo, "chmod 600");
  }
}

TEST_F(EncryptionKeyFileTest, what_cannot_be_read_is_told_with_its_name) {
  expect_refused((directory_.path() / "absent").string(), ErrorCode::kIo, "No such file");
  ::chmod(directory_.path().c_str(), 0700);
  expect_refused(directory_.path().string(), ErrorCode::kIo, "directory");
}

TEST_F(EncryptionKeyFileTest, what_is_no_key_is_told_with_the_files_name) {
  expect_refused(written(""), ErrorCode::kInvalidArgument, "32 bytes");
  expect_refused(written(kHex.substr(1)), ErrorCode::kInvalidArgument, "32 bytes");
  expect_refused(written(std::string(100'000, '0')), ErrorCode::kInvalidArgument, "32 bytes");
}

TEST(EncryptionKeyTest, is_wiped_when_it_goes) {
  alignas(EncryptionKey) std::array<unsigned char, sizeof(EncryptionKey)> place;
  auto* const key = new (place.data()) EncryptionKey(*EncryptionKey::parse(kHex));
  ASSERT_EQ(place[31], 31);
  key->~EncryptionKey();
  volatile const unsigned char* const left = place.data();
  for (std::size_t i = 0; i < place.size(); ++i) {
    EXPECT_EQ(left[i], 0) << i;
  }
}

}  // namespace
}  // namespace llm_edge_cache
