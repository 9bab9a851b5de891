#include "base/text_cursor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace llm_edge_cache {
namespace {

TEST(TextCursorTest, texts_and_literals_stand_one_behind_the_other) {
  std::array<char, 16> memory{};
  TextCursor cursor(memory.data());
  cursor.put("age: ");
  cursor.put(std::string("30"));
  cursor.put("");
  cursor.put(std::string_view());
  cursor.put("\r\n");
  EXPECT_EQ(std::string_view(memory.data(), cursor.at()), "age: 30\r\n");
}

}  // namespace
}  // namespace llm_edge_cache
