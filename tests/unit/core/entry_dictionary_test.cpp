#include "core/entry_dictionary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/sha256.hpp"
#include "core/entry_compression.hpp"
#include "core/little_endian.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(EntryDictionaryTest, its_id_is_the_beginning_of_its_digest) {
  const auto bytes = golden("dictionary.bin");
  const auto dictionary = EntryDictionary::parse(bytes);
  ASSERT_TRUE(dictionary.ok()) << dictionary.error().message;
  const auto digest = sha256(bytes);
  EXPECT_EQ((*dictionary)->id(), get_little_endian<std::uint64_t>(digest.bytes.data()));
  EXPECT_EQ(sample_dictionary()->id(), (*dictionary)->id());
}

TEST(EntryDictionaryTest, one_changed_byte_makes_another_dictionary_or_none) {
  const auto bytes = golden("dictionary.bin");
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    auto changed = bytes;
    changed[at] ^= 1;
    const auto dictionary = EntryDictionary::parse(changed);
    if (dictionary.ok()) {
      EXPECT_NE((*dictionary)->id(), sample_dictionary()->id()) << at;
    }
  }
}

TEST(EntryDictionaryTest, what_is_no_dictionary_is_refused) {
  const auto bytes = golden("dictionary.bin");
  for (const auto& text : {std::string(), std::string("text that zstd would take as it is"),
                           bytes.substr(0, 8), bytes.substr(0, 60), bytes.substr(1)}) {
    const auto dictionary = EntryDictionary::parse(text);
    ASSERT_FALSE(dictionary.ok()) << text.size();
    EXPECT_EQ(dictionary.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(EntryDictionaryTest, too_much_is_refused) {
  const auto bytes = golden("dictionary.bin");
  const auto large = EntryDictionary::parse(bytes + std::string(EntryDictionary::kMaxBytes, 'x'));
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
}

TEST(EntryDictionaryTest, an_error_names_the_file) {
  const auto absent = EntryDictionary::load("/no/such/dictionary");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kIo);
  EXPECT_THAT(absent.error().message, StartsWith("/no/such/dictionary: "));
  const auto other = EntryDictionary::load(golden_file("v1.bin"));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(other.error().message, HasSubstr("v1.bin: "));
  EXPECT_EQ(EntryDictionary::load("/").error().code, ErrorCode::kIo);
}

TEST(EntryCompressionTest, gives_back_what_it_took) {
  const auto dictionary = sample_dictionary();
  for (const auto* with : {static_cast<const EntryDictionary*>(nullptr), dictionary.get()}) {
    for (const std::size_t size : {1U, 100U, 5'000U, 1'000'000U}) {
      const std::string table(size, 'x');
      std::string body(size + 100, '\0');
      body.resize(compress_table(table, body, with));
      std::string back(size, '\0');
      ASSERT_TRUE(decompress_table(body, back, with)) << size;
      EXPECT_EQ(back, table);
    }
  }
}

// Reading the code of the letters would be most of the time that a short entry takes.
TEST(EntryCompressionTest, letters_are_coded_in_long_tables_alone) {
  const auto letters = [](std::size_t count) {
    std::mt19937 random(7);
    std::string text;
    while (text.size() < count) {
      text += static_cast<char>('a' + random() % 16);
    }
    return text;
  };
  const auto dictionary = sample_dictionary();
  for (const auto* with : {static_cast<const EntryDictionary*>(nullptr), dictionary.get()}) {
    const auto compressed_size = [with](const std::string& table) {
      std::string out(table.size() + 100, '\0');
      return compress_table(table, out, with);
    };
    EXPECT_GT(compressed_size(letters(kShortTableBytes)), kShortTableBytes * 9 / 10);
    EXPECT_LT(compressed_size(letters(kShortTableBytes + 1)), kShortTableBytes * 6 / 10);
  }
}

TEST(EntryCompressionTest, what_does_not_fit_is_not_compressed) {
  std::string out(20, '\0');
  EXPECT_EQ(compress_table("0123456789abcdefghijklmnopqrstuvwxyz", out, nullptr), 0U);
}

TEST(EntryCompressionTest, another_size_than_expected_is_an_error) {
  std::string body(1'000, '\0');
  body.resize(compress_table(std::string(500, 'x'), body, nullptr));
  for (const std::size_t size : {0U, 499U, 501U}) {
    std::string back(size, '\0');
    EXPECT_FALSE(decompress_table(body, back, nullptr)) << size;
  }
}

TEST(EntryCompressionTest, without_its_dictionary_nothing_comes_back) {
  const auto dictionary = sample_dictionary();
  const auto text = sample_entry(500).response.content;
  std::string body(1'000, '\0');
  body.resize(compress_table(text, body, dictionary.get()));
  std::string back(text.size(), '\0');
  EXPECT_FALSE(decompress_table(body, back, nullptr));
}

}  // namespace
}  // namespace llm_edge_cache
