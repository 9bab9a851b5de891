#include "core/entry_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/entry_frame.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

TEST(EntryCodecTest, decodes_what_it_encoded) {
  for (const std::size_t bytes : {0U, 40U, 900U, 1'100U, 50'000U, 3'000'000U}) {
    const auto entry = sample_entry(bytes);
    const auto encoded = encode_entry(sample_key(), entry);
    ASSERT_TRUE(encoded.ok());
    const auto decoded = decode_entry(sample_key(), *encoded);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(**decoded, entry) << bytes;
  }
}

TEST(EntryCodecTest, answers_of_a_usual_size_are_compressed) {
  EXPECT_LT(encode_entry(sample_key(), sample_entry(4'000))->size(), 1'000U);
  EXPECT_GT(encode_entry(sample_key(), sample_entry(600))->size(), 600U);
  EXPECT_GT(
      encode_entry(sample_key(), sample_entry(4'000), {.compress_over_bytes = 10'000})->size(),
      4'000U);
}

TEST(EntryCodecTest, an_entry_over_the_limit_is_not_encoded) {
  const auto encoded = encode_entry(sample_key(), sample_entry(1'000), {.max_bytes = 1'000});
  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(encoded.error().code, ErrorCode::kTooLarge);
}

TEST(EntryCodecTest, an_entry_over_the_limit_is_not_decoded) {
  const auto encoded = encode_entry(sample_key(), sample_entry(5'000));
  const auto decoded = decode_entry(sample_key(), *encoded, {.max_bytes = 5'000});
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kTooLarge);
}

TEST(EntryCodecTest, an_entry_moved_to_another_key_does_not_decode) {
  const auto encoded = encode_entry(sample_key(), sample_entry());
  const auto decoded = decode_entry(sha256("another question"), *encoded);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorruptData);
}

// What a foreign writer that knows key and checksum could leave.
TEST(EntryCodecTest, sealed_bytes_that_are_no_table_are_corrupt) {
  for (const std::string& table : {std::string(), std::string("text"), std::string(500, '\xFF')}) {
    const auto decoded = decode_entry(sample_key(), seal_entry_frame(sample_key(), table, {}));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorruptData);
  }
}

TEST(EntryCodecTest, a_cut_entry_does_not_decode) {
  const auto encoded = encode_entry(sample_key(), sample_entry());
  for (std::size_t size = 0; size < encoded->size(); ++size) {
    EXPECT_FALSE(decode_entry(sample_key(), std::string_view(*encoded).substr(0, size)).ok());
  }
}

TEST(EntryCodecTest, the_stored_bytes_are_the_pinned_ones) {
  EXPECT_EQ(*encode_entry(sample_key(), sample_entry()), golden("v2.bin"));
}

// Compressed bytes may differ between releases of zstd and LZ4; every release must read them.
TEST(EntryCodecTest, pinned_bytes_decode) {
  const EntryFormat format{.dictionary = sample_dictionary()};
  const EntryFormat encrypted{.cipher = sample_cipher(), .dictionary = sample_dictionary()};
  const auto expect = [](const std::string& name, const EntryFormat& reader, std::size_t bytes) {
    const auto entry = decode_entry(sample_key(), golden(name), reader);
    ASSERT_TRUE(entry.ok()) << name << ": " << entry.error().message;
    EXPECT_EQ(**entry, sample_entry(bytes)) << name;
  };
  expect("v1.bin", format, 40);
  expect("v1_zstd.bin", format, 4'000);
  expect("v2.bin", format, 40);
  expect("v2_zstd.bin", format, 4'000);
  expect("v2_dictionary.bin", format, 4'000);
  expect("v2_built_in_dictionary.bin", format, 4'000);
  expect("v2_lz4.bin", format, 2'000);
  expect("v2_encrypted.bin", encrypted, 40);
  expect("v2_encrypted_dictionary.bin", encrypted, 4'000);
  expect("v2_encrypted_lz4.bin", encrypted, 2'000);
}

TEST(EntryCodecTest, encrypted_entries_decode_under_the_key_they_were_written_with_alone) {
  const EntryFormat format{.cipher = sample_cipher(1)};
  const auto encoded = *encode_entry(sample_key(), sample_entry(5'000), format);
  EXPECT_EQ(**decode_entry(sample_key(), encoded, format), sample_entry(5'000));
  EXPECT_FALSE(decode_entry(sample_key(), encoded).ok());
  EXPECT_FALSE(decode_entry(sample_key(), encoded, {.cipher = sample_cipher(2)}).ok());
}

TEST(EntryCodecTest, two_writings_of_one_entry_share_no_ciphertext) {
  const EntryFormat format{.cipher = sample_cipher()};
  const auto first = *encode_entry(sample_key(), sample_entry(), format);
  const auto second = *encode_entry(sample_key(), sample_entry(), format);
  ASSERT_EQ(first.size(), second.size());
  EXPECT_NE(first.substr(36), second.substr(36));
}

TEST(EntryCodecTest, nothing_of_an_encrypted_entry_can_be_read_in_its_bytes) {
  const EntryFormat format{.compress_over_bytes = 100'000, .cipher = sample_cipher()};
  const auto encoded = *encode_entry(sample_key(), sample_entry(2'000), format);
  for (const auto* text : {"choices", "gpt-4o", "application/json", "team-a"}) {
    EXPECT_EQ(encoded.find(text), std::string::npos) << text;
  }
}

TEST(EntryCodecTest, threads_work_at_the_same_time) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    threads.emplace_back([&count = wrong[i], i] {
      const auto entry = sample_entry(1'000 * (i + 1));
      for (int round = 0; round < 100; ++round) {
        const auto encoded = encode_entry(sample_key(), entry);
        const auto decoded = decode_entry(sample_key(), *encoded);
        count += decoded.ok() && **decoded == entry ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace llm_edge_cache
