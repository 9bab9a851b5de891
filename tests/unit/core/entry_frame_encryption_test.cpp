#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "core/entry_frame.hpp"
#include "core/little_endian.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBodyAt = 32 + 4 + 24;  // after the key's id and the nonce

class EncryptedFrameTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string seal(std::string_view table) const {
    return seal_entry_frame(sample_key(), table, format_, sample_nonce());
  }
  [[nodiscard]] static Result<std::string> open(std::string_view frame, const EntryFormat& format,
                                                const KeyDigest& key = sample_key()) {
    FrameBuffers buffers;
    const auto table = open_entry_frame(key, frame, format, buffers);
    if (!table.ok()) {
      return table.error();
    }
    return std::string(*table);
  }
  static void expect_refused(std::string_view frame, const EntryFormat& format,
                             const std::string& reason) {
    const auto table = open(frame, format);
    ASSERT_FALSE(table.ok()) << reason;
    EXPECT_EQ(table.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(table.error().message, HasSubstr(reason));
  }

  const EntryFormat format_{.max_bytes = 1U << 20U, .cipher = sample_cipher(1)};
};

TEST_F(EncryptedFrameTest, has_the_documented_layout) {
  const auto frame = seal("table");
  EXPECT_EQ(frame.substr(0, 16), std::string("LLEC\x02\x02\0\0\x05\0\0\0\x21\0\0\0", 16));
  EXPECT_EQ(get_little_endian<std::uint32_t>(&frame[32]), format_.cipher->key_id());
  const auto nonce = sample_nonce();
  EXPECT_EQ(std::memcmp(&frame[36], nonce.data(), nonce.size()), 0);
  EXPECT_EQ(frame.size(), kBodyAt + 5);

  std::string body = "table";
  const auto tag = format_.cipher->seal(
      nonce, std::string(sample_key().view()) + frame.substr(0, 16) + frame.substr(32, 28), body);
  EXPECT_EQ(frame.substr(kBodyAt), body);
  EXPECT_EQ(frame.substr(16, 16), std::string(tag.data(), tag.size()));
}

TEST_F(EncryptedFrameTest, opens_what_it_sealed) {
  for (const std::size_t size : {0U, 1U, 1'024U, 1'025U, 100'000U}) {
    const std::string table(size, 'x');
    EXPECT_EQ(*open(seal(table), format_), table) << size;
  }
}

TEST_F(EncryptedFrameTest, is_compressed_before_it_is_encrypted) {
  const auto frame = seal(std::string(50'000, 'x'));
  EXPECT_LT(frame.size(), 200U);
  EXPECT_EQ(frame[5], 3);
  auto with_dictionary = format_;
  with_dictionary.dictionary = sample_dictionary();
  const auto other = seal_entry_frame(sample_key(), std::string(5'000, 'x'), with_dictionary);
  EXPECT_EQ(other[5], 7);
  EXPECT_EQ(*open(other, with_dictionary), std::string(5'000, 'x'));
  expect_refused(other, format_, "dictionary that is not at hand");
}

TEST_F(EncryptedFrameTest, any_flipped_bit_is_found) {
  for (const auto& frame : {seal("a small table"), seal(std::string(2'000, 'x'))}) {
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      auto damaged = frame;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(open(damaged, format_).ok()) << bit;
    }
  }
}

TEST_F(EncryptedFrameTest, any_cut_or_added_byte_is_found) {
  const auto frame = seal("a small table");
  for (std::size_t size = 0; size < frame.size(); ++size) {
    auto cut = frame.substr(0, size);
    ASSERT_FALSE(open(cut, format_).ok()) << size;
    if (size < 32) {
      continue;
    }
    put_little_endian(&cut[12], static_cast<std::uint32_t>(size - 32));
    ASSERT_FALSE(open(cut, format_).ok()) << size;
  }
  EXPECT_FALSE(open(frame + '\0', format_).ok());
}

TEST_F(EncryptedFrameTest, cannot_be_moved_under_another_key) {
  const auto moved = open(seal("table"), format_, sha256("other"));
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(moved.error().message, HasSubstr("another key"));
}

TEST_F(EncryptedFrameTest, an_unknown_key_is_told_from_damage) {
  expect_refused(seal("table"), {}, "key that is not at hand");
  expect_refused(seal("table"), {.cipher = sample_cipher(2)}, "key that is not at hand");
}

TEST_F(EncryptedFrameTest, a_rotation_reads_both_keys_and_writes_the_new_one) {
  const EntryFormat rotating{.cipher = sample_cipher(2), .old_cipher = sample_cipher(1)};
  EXPECT_EQ(*open(seal("old"), rotating), "old");
  const auto frame = seal_entry_frame(sample_key(), "new", rotating);
  EXPECT_EQ(get_little_endian<std::uint32_t>(&frame[32]), sample_cipher(2)->key_id());
  EXPECT_EQ(*open(frame, rotating), "new");
  EXPECT_EQ(*open(frame, {.cipher = sample_cipher(2)}), "new");
  expect_refused(frame, format_, "key that is not at hand");
}

// The checksum is no secret: anybody can write an entry that fits it.
TEST_F(EncryptedFrameTest, what_is_not_encrypted_is_refused_where_there_is_a_key) {
  expect_refused(seal_entry_frame(sample_key(), "table", {}), format_, "not encrypted");
  expect_refused(golden("v1.bin"), format_, "not encrypted");
  auto claims_to_be = golden("v1.bin");
  claims_to_be[5] = 2;
  expect_refused(claims_to_be, format_, "not encrypted");
}

TEST_F(EncryptedFrameTest, the_limit_is_checked_before_anything_is_decompressed) {
  const auto frame = seal(std::string(format_.max_bytes + 1, 'x'));
  const auto table = open(frame, format_);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, ErrorCode::kTooLarge);
}

TEST_F(EncryptedFrameTest, a_frame_sealed_with_its_pinned_nonce_is_the_pinned_one) {
  const auto pinned = golden("v2_encrypted.bin");
  const EntryFormat format{.cipher = sample_cipher()};
  const auto table = open(pinned, format);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(seal_entry_frame(sample_key(), *table, format, sample_nonce()), pinned);
}

}  // namespace
}  // namespace llm_edge_cache
