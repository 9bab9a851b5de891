#include "core/entry_frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "base/sha256.hpp"
#include "core/entry_checksum.hpp"
#include "core/entry_table.hpp"
#include "core/little_endian.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kLimit = 1U << 20U;
constexpr std::size_t kNever = SIZE_MAX;

std::string seal(std::string_view table, std::size_t compress_over_bytes = kNever) {
  return seal_entry_frame(sample_key(), table, {.compress_over_bytes = compress_over_bytes});
}

Result<std::string> open(std::string_view frame,
                         const EntryFormat& format = {.max_bytes = kLimit}) {
  FrameBuffers buffers;
  const auto table = open_entry_frame(sample_key(), frame, format, buffers);
  if (!table.ok()) {
    return table.error();
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table->data()) % 8, 0U);
  return std::string(*table);
}

void expect_refused(std::string_view frame, ErrorCode code, const std::string& reason,
                    const EntryFormat& format = {.max_bytes = kLimit}) {
  const auto table = open(frame, format);
  ASSERT_FALSE(table.ok()) << reason;
  EXPECT_EQ(table.error().code, code);
  EXPECT_THAT(table.error().message, HasSubstr(reason));
}

// A frame whose checksum fits whatever its header says, as another build might write it.
std::string with_checksum(std::string frame) {
  const auto sum = entry_checksum(sample_key(), frame.substr(0, 16), frame.substr(32));
  std::memcpy(&frame[16], sum.data(), sum.size());
  return frame;
}

EntryFormat with_lz4() {
  return {.compress_over_bytes = 100, .lz4_up_to_bytes = 4'096, .dictionary = sample_dictionary()};
}

std::string noise(std::size_t bytes) {
  std::mt19937 random(7);
  std::string text(bytes, '\0');
  for (auto& byte : text) {
    byte = static_cast<char>(random());
  }
  return text;
}

TEST(EntryFrameTest, has_the_documented_layout) {
  const auto frame = seal("table");
  EXPECT_EQ(frame.substr(0, 16), std::string("LLEC\x02\0\0\0\x05\0\0\0\x05\0\0\0", 16));
  EXPECT_EQ(frame.substr(32), "table");
  EXPECT_EQ(with_checksum(frame), frame);
}

TEST(EntryFrameTest, opens_what_it_sealed) {
  for (const std::size_t size : {0U, 1U, 1'024U, 1'025U, 100'000U}) {
    const std::string table(size, 'x');
    EXPECT_EQ(*open(seal(table)), table) << size;
    EXPECT_EQ(*open(seal(table, 1'024)), table) << size;
  }
}

TEST(EntryFrameTest, compresses_only_over_the_threshold) {
  EXPECT_EQ(seal(std::string(1'024, 'x'), 1'024).size(), 32U + 1'024U);
  EXPECT_LT(seal(std::string(1'025, 'x'), 1'024).size(), 100U);
}

TEST(EntryFrameTest, keeps_what_does_not_compress_as_it_is) {
  const auto table = noise(5'000);
  const auto frame = seal(table, 0);
  EXPECT_EQ(frame.size(), 32U + 5'000U);
  EXPECT_EQ(*open(frame), table);
}

TEST(EntryFrameTest, opens_at_any_alignment) {
  const auto frame = seal("0123456789");
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const auto shifted = std::string(shift, ' ') + frame;
    EXPECT_EQ(*open(std::string_view(shifted).substr(shift)), "0123456789");
  }
}

TEST(EntryFrameTest, any_flipped_bit_is_found) {
  const EntryFormat format{.compress_over_bytes = 100, .dictionary = sample_dictionary()};
  for (const auto& frame : {seal("a small table"), seal(std::string(2'000, 'x'), 0),
                            seal_entry_frame(sample_key(), std::string(2'000, 'x'), format),
                            seal_entry_frame(sample_key(), std::string(2'000, 'x'), with_lz4())}) {
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      auto damaged = frame;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(open(damaged, format).ok()) << bit;
    }
  }
}

TEST(EntryFrameTest, any_cut_or_added_byte_is_found) {
  const auto frame = seal("a small table");
  for (std::size_t size = 0; size < frame.size(); ++size) {
    ASSERT_FALSE(open(std::string_view(frame).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(open(frame + '\0').ok());
}

TEST(EntryFrameTest, does_not_open_under_another_key) {
  FrameBuffers buffers;
  const auto frame = seal("table");
  const auto moved = open_entry_frame(sha256("other"), frame, {}, buffers);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(moved.error().message, HasSubstr("another key"));
}

TEST(EntryFrameTest, says_what_it_cannot_read) {
  const auto frame = seal("table");
  const auto changed = [&](std::size_t at, char value) {
    auto copy = frame;
    copy[at] = value;
    return with_checksum(copy);
  };
  expect_refused("", ErrorCode::kCorruptData, "not an entry");
  expect_refused("PK\x03\x04 something else", ErrorCode::kCorruptData, "not an entry");
  expect_refused("LLEC", ErrorCode::kCorruptData, "cut short");
  expect_refused(changed(4, 3), ErrorCode::kCorruptData, "another version");
  expect_refused(changed(5, 2), ErrorCode::kCorruptData, "cut short");
  expect_refused(changed(5, 4), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(5, 5), ErrorCode::kCorruptData, "cut short");
  expect_refused(changed(5, 8), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(5, 9), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(5, 12), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(5, 13), ErrorCode::kCorruptData, "cut short");
  expect_refused(changed(5, 16), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(6, 1), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(7, 1), ErrorCode::kCorruptData, "does not know");
  expect_refused(changed(8, 4), ErrorCode::kCorruptData, "size that it states");
  expect_refused(changed(12, 4), ErrorCode::kCorruptData, "too long");
  expect_refused(changed(5, 1), ErrorCode::kCorruptData, "does not decompress");
}

TEST(EntryFrameTest, the_limit_is_checked_before_anything_is_decompressed) {
  const auto frame = seal(std::string(kLimit + 1, 'x'), 0);
  EXPECT_LT(frame.size(), 10'000U);
  expect_refused(frame, ErrorCode::kTooLarge, "limit");
  EXPECT_TRUE(open(frame, {.max_bytes = kLimit + 1}).ok());
}

TEST(EntryFrameTest, a_bomb_that_understates_its_size_is_refused) {
  auto frame = seal(std::string(kLimit, 'x'), 0);
  frame[8] = 100;
  frame[9] = frame[10] = frame[11] = 0;
  expect_refused(with_checksum(frame), ErrorCode::kCorruptData, "does not decompress");
}

TEST(EntryFrameTest, a_frame_that_overstates_its_size_is_refused) {
  auto frame = seal(std::string(1'000, 'x'), 0);
  frame[8] = static_cast<char>(0xE9);  // 1,001
  expect_refused(with_checksum(frame), ErrorCode::kCorruptData, "does not decompress");
}

TEST(EntryFrameTest, a_dictionary_makes_the_same_table_shorter) {
  const auto table = *write_entry_table(sample_entry(2'000), kLimit);
  const EntryFormat format{.dictionary = sample_dictionary()};
  const auto frame = seal_entry_frame(sample_key(), table, format);
  EXPECT_LT(frame.size() + 50, seal(table, 0).size());
  EXPECT_EQ(frame[5], 5);  // compressed, with a dictionary
  EXPECT_EQ(get_little_endian<std::uint64_t>(&frame[32]), format.dictionary->id());
  EXPECT_EQ(*open(frame, format), table);
}

TEST(EntryFrameTest, a_dictionary_is_of_no_account_where_nothing_is_compressed) {
  const EntryFormat format{.dictionary = sample_dictionary()};
  EXPECT_EQ(seal_entry_frame(sample_key(), "table", format), seal("table"));
  const auto table = noise(3'000);
  EXPECT_EQ(seal_entry_frame(sample_key(), table, format), seal(table));
}

TEST(EntryFrameTest, a_long_table_is_compressed_without_the_dictionary) {
  const EntryFormat format{.dictionary = sample_dictionary()};
  constexpr std::size_t kLongest = 128U << 10U;
  EXPECT_EQ(seal_entry_frame(sample_key(), std::string(kLongest, 'x'), format)[5], 5);
  const std::string table(kLongest + 1, 'x');
  EXPECT_EQ(seal_entry_frame(sample_key(), table, format), seal(table, 0));
}

TEST(EntryFrameTest, a_short_table_is_compressed_with_lz4_where_that_is_wanted) {
  const auto table = *write_entry_table(sample_entry(2'000), kLimit);
  const auto frame = seal_entry_frame(sample_key(), table, with_lz4());
  EXPECT_LT(frame.size() + 50, seal(table, 0).size());
  EXPECT_EQ(frame[5], 13);  // compressed, with a dictionary, with LZ4
  EXPECT_EQ(get_little_endian<std::uint64_t>(&frame[32]), sample_dictionary()->id());
  EXPECT_EQ(*open(frame, {.dictionary = sample_dictionary()}), table);
  EXPECT_EQ(*open(frame, {.old_dictionary = sample_dictionary()}), table);
  expect_refused(frame, ErrorCode::kCorruptData, "dictionary that is not at hand");

  EXPECT_EQ(seal_entry_frame(sample_key(), std::string(4'096, 'x'), with_lz4())[5], 13);
  EXPECT_EQ(seal_entry_frame(sample_key(), std::string(4'097, 'x'), with_lz4())[5], 5);
}

TEST(EntryFrameTest, lz4_is_of_no_account_without_a_dictionary_or_where_nothing_is_compressed) {
  auto format = with_lz4();
  EXPECT_EQ(seal_entry_frame(sample_key(), "table", format), seal("table"));
  EXPECT_EQ(seal_entry_frame(sample_key(), noise(3'000), format), seal(noise(3'000)));
  format.dictionary = nullptr;
  const std::string table(2'000, 'x');
  EXPECT_EQ(seal_entry_frame(sample_key(), table, format), seal(table, 100));
}

TEST(EntryFrameTest, a_frame_of_lz4_that_states_another_size_is_refused) {
  const auto frame = seal_entry_frame(sample_key(), std::string(2'000, 'x'), with_lz4());
  for (const std::uint32_t size : {0U, 1'999U, 2'001U, 1U << 20U}) {
    auto copy = frame;
    put_little_endian(&copy[8], size);
    expect_refused(with_checksum(copy), ErrorCode::kCorruptData, "does not decompress",
                   {.max_bytes = kLimit, .dictionary = sample_dictionary()});
  }
}

TEST(EntryFrameTest, an_old_dictionary_is_read_and_another_one_is_missed) {
  const EntryFormat writer{.compress_over_bytes = 0, .dictionary = sample_dictionary()};
  const auto frame = seal_entry_frame(sample_key(), std::string(2'000, 'x'), writer);
  EXPECT_TRUE(open(frame, {.old_dictionary = sample_dictionary()}).ok());
  expect_refused(frame, ErrorCode::kCorruptData, "dictionary that is not at hand");
}

// Where the length of what is compressed is not the one that the frame states, whatever the cause.
TEST(EntryFrameTest, what_was_compressed_without_the_dictionary_does_not_open_with_it) {
  const EntryFormat format{.dictionary = sample_dictionary()};
  const auto plain = seal(std::string(2'000, 'x'), 0);
  auto frame = plain.substr(0, 32) + std::string(8, '\0') + plain.substr(32);
  frame[5] = 5;
  put_little_endian(&frame[12], static_cast<std::uint32_t>(frame.size() - 32));
  put_little_endian(&frame[32], format.dictionary->id());
  const auto table = open(with_checksum(frame), format);
  EXPECT_TRUE(!table.ok() || *table == std::string(2'000, 'x'));
}

}  // namespace
}  // namespace llm_edge_cache
