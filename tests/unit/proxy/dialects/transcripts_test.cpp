// Every recorded transcript of tests/golden/dialects/: one answer as a stream and as a body, the
// way its provider writes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/dialects/event_blocks.hpp"
#include "tests/unit/proxy/dialects/transcripts.hpp"

namespace llm_edge_cache::proxy::transcripts_test {
namespace {

constexpr AnswerWish kJsonWish = {};
using test::Transcript;

constexpr AnswerWish kStreamWish = {.form = AnswerForm::kStream, .include_usage = true};

class TranscriptTest : public ::testing::TestWithParam<Transcript> {
 protected:
  const Dialect& dialect_ = test::dialect_of(GetParam());
  const std::string& stream_ = GetParam().stream;
  const std::string& body_ = GetParam().body;
};

TEST_P(TranscriptTest, is_complete_in_both_forms_and_says_the_same_of_itself) {
  const auto of_stream = dialect_.review(AnswerForm::kStream, stream_);
  const auto of_body = dialect_.review(AnswerForm::kJson, body_);
  EXPECT_FALSE(of_stream.refusal);
  EXPECT_FALSE(of_body.refusal);
  EXPECT_FALSE(of_body.model.empty());
  EXPECT_EQ(of_stream.model, of_body.model);
  EXPECT_EQ(of_stream.finish_reason, of_body.finish_reason);
  EXPECT_TRUE(of_body.usage);
  EXPECT_EQ(of_stream.usage, of_body.usage);
}

TEST_P(TranscriptTest, the_stream_is_put_together_to_the_body) {
  const auto adapted = dialect_.adapt(AnswerForm::kStream, stream_, kJsonWish);
  ASSERT_TRUE(adapted.ok()) << adapted.error().message;
  EXPECT_TRUE(says_the_same(Json::parse(**adapted), Json::parse(body_))) << **adapted;
}

TEST_P(TranscriptTest, the_body_survives_a_stream) {
  const auto stream = dialect_.adapt(AnswerForm::kJson, body_, kStreamWish);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  const auto again = dialect_.adapt(AnswerForm::kStream, **stream, kJsonWish);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(says_the_same(Json::parse(**again), Json::parse(body_))) << **again;
}

TEST_P(TranscriptTest, a_stream_made_of_it_has_events_of_the_recorded_kinds_only) {
  const auto kinds_of = [](std::string_view stream) {
    std::vector<std::string> kinds;
    for (const auto block : event_blocks(stream)) {
      kinds.emplace_back(event_type(block));
    }
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    return kinds;
  };
  const auto made = dialect_.adapt(AnswerForm::kJson, body_, kStreamWish);
  ASSERT_TRUE(made.ok());
  const auto recorded = kinds_of(stream_);
  for (const auto& kind : kinds_of(**made)) {
    EXPECT_TRUE(std::find(recorded.begin(), recorded.end(), kind) != recorded.end() ||
                kind == "ping")
        << kind;
  }
}

TEST_P(TranscriptTest, is_refused_when_it_is_cut_anywhere) {
  const auto whole_events = event_blocks(stream_).size();
  std::size_t size = 0;
  for (std::size_t i = 0; i + 1 < whole_events; ++i) {
    const auto block = event_blocks(stream_)[i];
    EXPECT_TRUE(dialect_.review(AnswerForm::kStream, stream_.substr(0, size)).refusal);
    EXPECT_TRUE(
        dialect_.review(AnswerForm::kStream, stream_.substr(0, size + block.size() / 2)).refusal);
    size += block.size();
  }
  for (std::size_t cut = 0; cut + 2 < body_.size(); cut += 7) {
    EXPECT_TRUE(dialect_.review(AnswerForm::kJson, body_.substr(0, cut)).refusal) << cut;
  }
}

TEST_P(TranscriptTest, is_no_stream_without_the_blank_line_that_ends_it) {
  const auto cut = std::string_view(stream_).substr(0, stream_.size() - 1);
  EXPECT_EQ(dialect_.review(AnswerForm::kStream, cut).refusal, StoreRefusal::kTruncated);
  EXPECT_FALSE(dialect_.adapt(AnswerForm::kStream, cut, kJsonWish).ok());
}

TEST_P(TranscriptTest, is_replayed_but_not_put_together_behind_a_byte_order_mark) {
  const auto marked = "\xEF\xBB\xBF" + stream_;
  EXPECT_FALSE(dialect_.adapt(AnswerForm::kStream, marked, kJsonWish).ok());
}

TEST_P(TranscriptTest, events_whose_names_belie_their_data_are_not_put_together) {
  auto belied = stream_;
  const auto name = belied.rfind("event: ");
  if (name == std::string::npos) {
    return;  // a stream without names
  }
  belied.replace(name, std::string_view("event: ").size(), "event: x_");
  EXPECT_FALSE(dialect_.review(AnswerForm::kStream, belied).refusal);
  EXPECT_FALSE(dialect_.adapt(AnswerForm::kStream, belied, kJsonWish).ok());
  belied.replace(name, belied.find('\n', name) - name, "event: error");
  EXPECT_EQ(dialect_.review(AnswerForm::kStream, belied).refusal, StoreRefusal::kErrorInAnswer);
}

TEST_P(TranscriptTest, comments_change_nothing) {
  std::string commented = ": one\n\n";
  for (const auto block : event_blocks(stream_)) {
    commented.append(block).append(": more\r\n\r\n");
  }
  const auto plain = dialect_.adapt(AnswerForm::kStream, stream_, kJsonWish);
  const auto adapted = dialect_.adapt(AnswerForm::kStream, commented, kJsonWish);
  ASSERT_TRUE(plain.ok() && adapted.ok());
  EXPECT_EQ(**adapted, **plain);
}

TEST_P(TranscriptTest, loses_its_padding_and_nothing_else_where_none_is_wanted) {
  auto wish = kStreamWish;
  wish.without_padding = true;
  const auto stripped = dialect_.adapt(AnswerForm::kStream, stream_, wish);
  ASSERT_TRUE(stripped.ok());
  if (!stripped->has_value()) {
    EXPECT_EQ(stream_.find("\"obfuscation\""), std::string::npos);
    return;
  }
  EXPECT_EQ((*stripped)->find("\"obfuscation\""), std::string::npos);
  EXPECT_EQ(event_blocks(**stripped).size(), event_blocks(stream_).size());
  const auto plain = dialect_.adapt(AnswerForm::kStream, stream_, kJsonWish);
  const auto again = dialect_.adapt(AnswerForm::kStream, **stripped, kJsonWish);
  ASSERT_TRUE(plain.ok() && again.ok());
  EXPECT_EQ(**again, **plain);
}

INSTANTIATE_TEST_SUITE_P(Golden, TranscriptTest, ::testing::ValuesIn(test::all_transcripts()),
                         [](const auto& transcript) {
                           return transcript.param.endpoint + "_" + transcript.param.name;
                         });

TEST(TranscriptsTest, are_there_for_every_dialect_with_streams) {
  for (const auto* endpoint : {"chat", "completions", "messages", "responses"}) {
    const auto all = test::all_transcripts();
    EXPECT_GE(std::count_if(all.begin(), all.end(),
                            [&](const auto& found) { return found.endpoint == endpoint; }),
              3)
        << endpoint;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::transcripts_test
