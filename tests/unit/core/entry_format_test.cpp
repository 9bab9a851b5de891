#include "core/entry_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

class EntryFormatTest : public ::testing::Test {
 protected:
  // A file with a key of that digit.
  [[nodiscard]] std::string key_file(char digit, ::mode_t mode = 0600) const {
    const auto path = (directory_.path() / std::string(1, digit)).string();
    std::ofstream(path) << std::string(64, digit);
    ::chmod(path.c_str(), mode);
    return path;
  }
  void expect_refused(const std::string& reason) const {
    const auto format = EntryFormat::of(config_);
    ASSERT_FALSE(format.ok()) << reason;
    EXPECT_THAT(format.error().message, HasSubstr(reason));
  }

  test::TempDir directory_;
  L2Config config_;
};

TEST_F(EntryFormatTest, nothing_is_encrypted_where_nothing_is_given) {
  const auto format = EntryFormat::of(config_);
  ASSERT_TRUE(format.ok());
  EXPECT_EQ(format->cipher, nullptr);
  EXPECT_EQ(format->old_cipher, nullptr);
  EXPECT_EQ(format->old_dictionary, nullptr);
  EXPECT_EQ(format->max_bytes, config_.max_entry_bytes);
}

TEST_F(EntryFormatTest, a_threshold_that_is_given_wins_and_a_dictionary_lowers_the_tiers_own) {
  EXPECT_EQ(EntryFormat::of(config_)->compress_over_bytes, 1'024U);
  EXPECT_EQ(EntryFormat::of(config_, 4'096)->compress_over_bytes, 4'096U);
  config_.dictionary_file = golden_file("dictionary.bin");
  EXPECT_EQ(EntryFormat::of(config_, 4'096)->compress_over_bytes, 1'024U);
  config_.compress_over_bytes = 100;
  EXPECT_EQ(EntryFormat::of(config_, 4'096)->compress_over_bytes, 100U);
}

TEST_F(EntryFormatTest, keys_come_from_files_or_as_they_are) {
  config_.encryption_key_file = key_file('1');
  config_.encryption_old_key = *EncryptionKey::parse(std::string(64, '2'));
  const auto format = EntryFormat::of(config_);
  ASSERT_TRUE(format.ok()) << format.error().message;
  EXPECT_EQ(format->cipher->key_id(), sample_cipher(0x11)->key_id());
  EXPECT_EQ(format->old_cipher->key_id(), sample_cipher(0x22)->key_id());
  EXPECT_EQ(format->find_cipher(format->old_cipher->key_id()), format->old_cipher.get());
  EXPECT_EQ(format->find_cipher(sample_cipher(0x33)->key_id()), nullptr);
}

TEST_F(EntryFormatTest, dictionaries_come_from_files) {
  config_.dictionary_file = golden_file("dictionary.bin");
  const auto format = EntryFormat::of(config_);
  ASSERT_TRUE(format.ok()) << format.error().message;
  EXPECT_EQ(format->find_dictionary(sample_dictionary()->id()), format->dictionary.get());
  EXPECT_EQ(format->find_dictionary(0), nullptr);
}

TEST_F(EntryFormatTest, what_cannot_be_used_is_told) {
  config_.encryption_key_file = key_file('1', 0644);
  expect_refused("every user can reach this key");
  config_.encryption_key_file = key_file('1');
  config_.encryption_old_key_file = "/no/such/key";
  expect_refused("/no/such/key");
  config_.encryption_old_key_file.clear();
  config_.dictionary_file = key_file('2');
  expect_refused("not a dictionary");
}

TEST_F(EntryFormatTest, the_old_key_is_another_one) {
  config_.encryption_key_file = config_.encryption_old_key_file = key_file('1');
  expect_refused("encryption_old_key must not be");
}

}  // namespace
}  // namespace llm_edge_cache
