#include "core/entry_lz4.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace llm_edge_cache {
namespace {

constexpr std::uint64_t kId = 1;
constexpr std::string_view kWords = "words that the dictionary and the table have in common, ";

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) {
    all += text;
  }
  all.resize(bytes);
  return all;
}

std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(bytes, '\0');
  for (auto& byte : text) {
    byte = static_cast<char>(random());
  }
  return text;
}

std::string compress(const Lz4Dictionary& dictionary, std::string_view table) {
  std::string body(table.size() + table.size() / 100 + 100, '\0');
  body.resize(dictionary.compress(table, body));
  return body;
}

TEST(Lz4DictionaryTest, gives_back_what_it_took) {
  Lz4Window window;
  std::uint64_t id = 0;
  for (const std::size_t front : {0U, 1U, 8U, 1'001U, 65'536U, 100'000U}) {
    const Lz4Dictionary dictionary(repeated(kWords, front));
    ++id;
    for (const std::size_t size : {1U, 100U, 4'096U, 300'000U}) {
      for (const auto& table : {repeated(kWords, size), noise(size, 7)}) {
        const auto back = window.decompress(compress(dictionary, table), size, dictionary, id);
        ASSERT_TRUE(back.has_value()) << front << ", " << size;
        EXPECT_EQ(*back, table);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(back->data()) % 8, 0U);
      }
    }
  }
}

TEST(Lz4DictionaryTest, makes_what_it_has_seen_shorter) {
  const auto table = noise(1'000, 7);
  EXPECT_GT(compress(Lz4Dictionary("other words"), table).size(), 1'000U);
  EXPECT_LT(compress(Lz4Dictionary("other words" + table), table).size(), 50U);
}

TEST(Lz4DictionaryTest, its_last_bytes_count) {
  const auto table = noise(1'000, 7);
  const auto more = noise(Lz4Dictionary::kMaxBytes, 8);
  EXPECT_LT(compress(Lz4Dictionary(more + table), table).size(), 50U);
  EXPECT_GT(compress(Lz4Dictionary(table + more), table).size(), 1'000U);
  EXPECT_EQ(Lz4Dictionary(table + more).bytes(), more);
}

TEST(Lz4DictionaryTest, compresses_the_same_bytes_the_same_way_whatever_came_before) {
  const Lz4Dictionary dictionary(repeated(kWords, 2'000));
  const auto table = repeated("another text with its own words. ", 3'000);
  const auto first = compress(dictionary, table);
  EXPECT_NE(compress(dictionary, noise(3'000, 7)), first);
  EXPECT_EQ(compress(dictionary, table), first);
}

TEST(Lz4DictionaryTest, what_does_not_fit_is_not_compressed) {
  const Lz4Dictionary dictionary(kWords);
  std::string out(20, '\0');
  EXPECT_EQ(dictionary.compress(noise(40, 7), out), 0U);
}

TEST(Lz4WindowTest, another_size_than_expected_is_an_error) {
  const Lz4Dictionary dictionary(kWords);
  const auto body = compress(dictionary, std::string(500, 'x'));
  Lz4Window window;
  for (const std::size_t size : {0U, 499U, 501U, 5'000U}) {
    EXPECT_FALSE(window.decompress(body, size, dictionary, kId).has_value()) << size;
  }
  EXPECT_TRUE(window.decompress(body, 500, dictionary, kId).has_value());
}

TEST(Lz4WindowTest, reads_with_each_dictionary_in_turn) {
  const Lz4Dictionary one(noise(2'000, 1));
  const Lz4Dictionary other(noise(3'001, 2));
  const auto of_one = compress(one, noise(2'000, 1));
  const auto of_other = compress(other, noise(3'001, 2));
  Lz4Window window;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(window.decompress(of_one, 2'000, one, 1), noise(2'000, 1));
    EXPECT_EQ(window.decompress(of_other, 3'001, other, 2), noise(3'001, 2));
  }
}

TEST(Lz4WindowTest, has_its_dictionary_after_it_was_trimmed) {
  const Lz4Dictionary dictionary(noise(2'000, 1));
  const auto body = compress(dictionary, noise(2'000, 1));
  Lz4Window window;
  ASSERT_TRUE(window.decompress(body, 2'000, dictionary, kId).has_value());
  window.trim(100);
  EXPECT_EQ(window.decompress(body, 2'000, dictionary, kId), noise(2'000, 1));
  window.trim(1U << 20U);
  EXPECT_EQ(window.decompress(body, 2'000, dictionary, kId), noise(2'000, 1));
}

// Frames are verified before; whoever forges one must not get further than a wrong table.
TEST(Lz4WindowTest, damaged_bytes_give_another_table_or_none) {
  const Lz4Dictionary dictionary(repeated(kWords, 1'000));
  const auto body = compress(dictionary, repeated("text that is in no dictionary at all; ", 2'000));
  Lz4Window window;
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    auto damaged = body;
    for (auto flips = random() % 4 + 1; flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const auto table = window.decompress(damaged, 2'000, dictionary, kId);
    EXPECT_TRUE(!table || table->size() == 2'000);
  }
  EXPECT_TRUE(window.decompress(body, 2'000, dictionary, kId).has_value());
}

}  // namespace
}  // namespace llm_edge_cache
