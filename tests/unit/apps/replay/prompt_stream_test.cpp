#include "replay/prompt_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PromptStreamTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    const auto path = (directory_.path() / "prompts.jsonl").string();
    std::ofstream(path) << text;
    return path;
  }
  test::TempDir directory_;
};

TEST_F(PromptStreamTest, keeps_order_and_repetition) {
  const auto stream =
      read_prompts(file("{\"prompt\":\"a\"}\n{\"t\":1,\"prompt\":\"b\"}\n"
                        "\n{\"prompt\":\"a\",\"x\":[1]}\n"));
  ASSERT_TRUE(stream.ok());
  EXPECT_THAT(stream->distinct, ElementsAre("a", "b"));
  EXPECT_THAT(stream->order, ElementsAre(0, 1, 0));
}

TEST_F(PromptStreamTest, stops_at_its_limit) {
  const auto stream = read_prompts(file("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\nnot json\n"), 2);
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(stream->order.size(), 2U);
}

TEST_F(PromptStreamTest, a_malformed_line_is_named) {
  for (const auto* bad : {"{\"prompt\":", "[]", "{}", "{\"prompt\":5}"}) {
    const auto stream = read_prompts(file(std::string("{\"prompt\":\"a\"}\n") + bad + "\n"));
    ASSERT_FALSE(stream.ok()) << bad;
    EXPECT_EQ(stream.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(stream.error().message, HasSubstr("prompts.jsonl:2: "));
  }
}

TEST_F(PromptStreamTest, a_file_without_prompts_is_an_error) {
  EXPECT_THAT(read_prompts(file("\n\n")).error().message, HasSubstr("no prompts"));
}

TEST_F(PromptStreamTest, a_file_that_is_not_there_is_an_error) {
  EXPECT_EQ(read_prompts("/nonexistent.jsonl").error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace llm_edge_cache::app
