#include "line_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineReaderTest : public ::testing::Test {
 protected:
  std::string plain(const std::string& text) {
    const auto path = (directory_.path() / "lines.txt").string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string gzip(const std::string& text) {
    const auto path = (directory_.path() / "lines.txt.gz").string();
    auto* file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return path;
  }

  static std::vector<std::string> lines_of(const std::string& path) {
    auto reader = LineReader::open(path);
    std::vector<std::string> lines;
    while (true) {
      const auto line = reader->next();
      if (!line.ok()) {
        lines.push_back("error: " + line.error().message);
        return lines;
      }
      if (!line->has_value()) return lines;
      lines.emplace_back(**line);
    }
  }

  test::TempDir directory_;
};

TEST_F(LineReaderTest, reads_plain_and_gzip_alike) {
  const std::string text = "one\ntwo\n\nfour\n";
  EXPECT_THAT(lines_of(plain(text)), ElementsAre("one", "two", "", "four"));
  EXPECT_THAT(lines_of(gzip(text)), ElementsAre("one", "two", "", "four"));
}

TEST_F(LineReaderTest, the_last_line_may_lack_its_end) {
  EXPECT_THAT(lines_of(plain("one\ntwo")), ElementsAre("one", "two"));
}

TEST_F(LineReaderTest, an_empty_file_has_no_lines) {
  EXPECT_THAT(lines_of(plain("")), ElementsAre());
}

TEST_F(LineReaderTest, carriage_returns_belong_to_the_line_end) {
  EXPECT_THAT(lines_of(plain("one\r\ntwo\r\n")), ElementsAre("one", "two"));
}

TEST_F(LineReaderTest, lines_longer_than_a_read_are_whole) {
  const std::string lengthy(3'000'000, 'x');
  EXPECT_THAT(lines_of(gzip("a\n" + lengthy + "\nb\n")), ElementsAre("a", lengthy, "b"));
}

TEST_F(LineReaderTest, a_line_over_the_bound_is_an_error) {
  const auto lines =
      lines_of(gzip("a\n" + std::string(LineReader::kMaxLineBytes + 1'000'000, 'x')));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[1], HasSubstr("lines.txt.gz:2: over"));
}

TEST_F(LineReaderTest, a_cut_gzip_file_is_an_error) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919) + "\n";
  const auto path = gzip(text);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const auto lines = lines_of(path);
  EXPECT_THAT(lines.back(), HasSubstr("error: "));
  EXPECT_THAT(lines.back(), HasSubstr(path));
}

TEST_F(LineReaderTest, says_where_it_is) {
  const auto path = plain("one\ntwo\n");
  auto reader = LineReader::open(path);
  ASSERT_TRUE(reader->next().ok());
  ASSERT_TRUE(reader->next().ok());
  EXPECT_EQ(reader->line_number(), 2U);
  EXPECT_EQ(reader->position(), path + ":2");
}

TEST_F(LineReaderTest, a_file_that_cannot_be_opened_is_named) {
  for (const auto& path : {std::string("/nonexistent/x"), directory_.path().string()}) {
    const auto reader = LineReader::open(path);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().code, ErrorCode::kIo);
    EXPECT_THAT(reader.error().message, HasSubstr(path));
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
