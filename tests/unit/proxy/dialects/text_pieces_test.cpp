#include "proxy/dialects/text_pieces.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy::text_pieces_test {
namespace {

TEST(TakePieceTest, gives_back_the_text_piece_by_piece) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "Grüße 世界 \xF0\x9F\x98\x80";
  }
  std::string_view rest = text;
  std::string joined;
  while (!rest.empty()) {
    const auto piece = take_piece(rest);
    ASSERT_FALSE(piece.empty());
    EXPECT_LE(piece.size(), 100U);
    EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xC0U, 0x80U) << "within a character";
    joined += piece;
  }
  EXPECT_EQ(joined, text);
}

TEST(TakePieceTest, ends_after_a_white_space_where_one_comes_in_time) {
  const std::string text = std::string(60, 'x') + " " + std::string(60, 'y');
  std::string_view rest = text;
  EXPECT_EQ(take_piece(rest).size(), 61U);
}

TEST(TakePieceTest, is_empty_where_nothing_is_left) {
  std::string_view rest;
  EXPECT_TRUE(take_piece(rest).empty());
}

}  // namespace
}  // namespace llm_edge_cache::proxy::text_pieces_test
