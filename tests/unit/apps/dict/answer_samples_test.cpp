#include "dict/answer_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/entry_table.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;

class AnswerSamplesTest : public ::testing::Test {
 protected:
  std::string written(const std::string& name, const std::string& text) const {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  // The sample as the entry that it was made of.
  static Entry entry_at(const AnswerSamples& samples, std::size_t index) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < index; ++i) at += samples.sizes()[i];
    std::vector<std::uint64_t> aligned(samples.sizes()[index] / 8 + 1);
    std::memcpy(aligned.data(), samples.bytes().data() + at, samples.sizes()[index]);
    return *read_entry_table(
                {reinterpret_cast<const char*>(aligned.data()), samples.sizes()[index]})
                .value();
  }
  static void expect_refused(const std::string& source, ErrorCode code, const std::string& reason) {
    const auto samples = read_answer_samples(source);
    ASSERT_FALSE(samples.ok()) << reason;
    EXPECT_EQ(samples.error().code, code);
    EXPECT_THAT(samples.error().message, HasSubstr(reason));
  }

  test::TempDir folder_;
};

TEST_F(AnswerSamplesTest, a_line_is_an_answer) {
  const auto file =
      written("answers.jsonl",
              "{\"payload\":\"{\\\"a\\\":1}\",\"model\":\"gpt-4o\",\"other\":[]}\n\n"
              "{\"payload_base64\":\"ZGF0YTogeAo=\",\"finish_reason\":\"length\"}\r\n");
  const auto samples = read_answer_samples(file);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  ASSERT_EQ(samples->count(), 2U);
  const auto first = entry_at(*samples, 0);
  EXPECT_EQ(first.response.content, "{\"a\":1}");
  EXPECT_EQ(first.response.model, "gpt-4o");
  EXPECT_EQ(first.content_type, "application/json");
  EXPECT_EQ(first.finish_reason, "stop");
  const auto second = entry_at(*samples, 1);
  EXPECT_EQ(second.response.content, "data: x\n");
  EXPECT_EQ(second.content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(second.finish_reason, "length");
}

TEST_F(AnswerSamplesTest, another_file_is_one_answer) {
  const auto samples = read_answer_samples(written("answer.json", "{\"a\":\n1}"));
  ASSERT_TRUE(samples.ok());
  ASSERT_EQ(samples->count(), 1U);
  EXPECT_EQ(entry_at(*samples, 0).response.content, "{\"a\":\n1}");
}

TEST_F(AnswerSamplesTest, a_folder_is_all_that_is_below_it_by_name) {
  written("b/second", "2");
  written("a/first.ndjson", "{\"payload\":\"0\"}\n{\"payload\":\"1\"}");
  written("third", "3");
  const auto samples = read_answer_samples(folder_.path().string());
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  ASSERT_EQ(samples->count(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(entry_at(*samples, i).response.content, std::to_string(i));
  }
}

TEST_F(AnswerSamplesTest, padding_of_base64_is_no_payload) {
  const auto samples = read_answer_samples(written(
      "a.jsonl",
      "{\"payload_base64\":\"\"}\n{\"payload_base64\":\"YQ==\"}\n{\"payload_base64\":\"YWI=\"}\n"));
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(entry_at(*samples, 0).response.content, "");
  EXPECT_EQ(entry_at(*samples, 1).response.content, "a");
  EXPECT_EQ(entry_at(*samples, 2).response.content, "ab");
}

TEST_F(AnswerSamplesTest, a_line_that_is_no_answer_is_told_with_its_place) {
  for (const auto* line : {"[]", "nonsense", "{}", "{\"payload\":1}", "{\"payload_base64\":\"*\"}",
                           "{\"payload_base64\":\"====\"}", "{\"payload_base64\":\"YWI\"}"}) {
    const auto file = written("a.jsonl", std::string("{\"payload\":\"x\"}\n") + line);
    expect_refused(file, ErrorCode::kInvalidArgument, "a.jsonl:2: ");
  }
}

TEST_F(AnswerSamplesTest, what_cannot_be_read_is_told_with_its_name) {
  expect_refused("/no/such/file", ErrorCode::kIo, "/no/such/file");
  expect_refused("/no/such/file.jsonl", ErrorCode::kIo, "/no/such/file.jsonl");
}

TEST(AnswerSampleBoundsTest, a_long_answer_counts_by_its_beginning) {
  AnswerSamples samples;
  Entry entry;
  entry.response.content.assign(AnswerSamples::kMaxSampleBytes * 2, 'x');
  ASSERT_TRUE(samples.add(entry));
  EXPECT_EQ(samples.sizes()[0], AnswerSamples::kMaxSampleBytes);
}

TEST(AnswerSampleBoundsTest, is_full_at_its_bound) {
  AnswerSamples samples;
  Entry entry;
  entry.response.content.assign(AnswerSamples::kMaxSampleBytes, 'x');
  while (samples.add(entry)) {
  }
  EXPECT_EQ(samples.bytes().size(), AnswerSamples::kMaxBytes);
}

}  // namespace
}  // namespace llm_edge_cache::app
