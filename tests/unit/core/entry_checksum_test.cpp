#include "core/entry_checksum.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "base/sha256.hpp"
#include "core/little_endian.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::string_view kHead = "0123456789abcdef";

std::string sum(const KeyDigest& key, std::string_view head, std::string_view rest) {
  const auto bytes = entry_checksum(key, head, rest);
  return {bytes.data(), bytes.size()};
}

TEST(EntryChecksumTest, every_part_counts) {
  std::set<std::string> sums;
  for (const auto& key : {KeyDigest{}, sha256("a"), sha256("b")}) {
    for (const std::string_view head : {kHead, std::string_view("0123456789abcdeF")}) {
      for (const auto& rest : {std::string(), std::string("x"), std::string("y"),
                               std::string(300, 'x'), std::string(301, 'x')}) {
        sums.insert(sum(key, head, rest));
      }
    }
  }
  EXPECT_EQ(sums.size(), 3U * 2U * 5U);
}

TEST(EntryChecksumTest, every_bit_counts) {
  const std::string text(1'000, 'x');
  std::set<std::string> sums = {sum({}, kHead, text)};
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    auto changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    sums.insert(sum({}, kHead, changed));
  }
  EXPECT_EQ(sums.size(), 8 * text.size() + 1);
}

TEST(EntryChecksumTest, does_not_depend_on_the_place_in_memory) {
  const std::string text(500, 'x');
  for (std::size_t shift = 1; shift < 64; ++shift) {
    const auto moved = std::string(shift, ' ') + text;
    EXPECT_EQ(sum({}, kHead, std::string_view(moved).substr(shift)), sum({}, kHead, text));
  }
}

TEST(LittleEndianTest, begins_with_the_least_byte) {
  std::string bytes(8, '\0');
  put_little_endian(bytes.data(), std::uint64_t{0x0807060504030201});
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(get_little_endian<std::uint32_t>(bytes.data()), 0x04030201U);
  EXPECT_EQ(get_little_endian<std::uint64_t>(bytes.data()), 0x0807060504030201U);
  put_little_endian(bytes.data(), std::uint16_t{0xFFFE});
  EXPECT_EQ(get_little_endian<std::uint16_t>(bytes.data()), 0xFFFEU);
}

}  // namespace
}  // namespace llm_edge_cache
