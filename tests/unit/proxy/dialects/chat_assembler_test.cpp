#include <gtest/gtest.h>

#include <string>

#include "proxy/dialects/chat_stream.hpp"
#include "proxy/dialects/chunk_stream.hpp"
#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::chat_assembler_test {
namespace {

using test::sse;

// A chunk with one choice.
std::string chunk(std::string_view delta, std::string_view rest = R"("finish_reason":null)",
                  int index = 0) {
  return R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":)" +
         std::to_string(index) + R"(,"delta":)" + std::string(delta) + "," + std::string(rest) +
         "}]}";
}
std::string stop(int index = 0) {
  return chunk("{}", R"("finish_reason":"stop")", index);
}

Json message_of(const std::string& stream) {
  const auto assembled = assemble_chat(stream);
  EXPECT_FALSE(assembled.refusal);
  return assembled.refusal ? Json() : assembled.body["choices"][0]["message"];
}

TEST(AssembleChatTest, gives_the_body_that_the_provider_would_have_sent) {
  const auto assembled = assemble_chat(test::hello_stream_with_usage());
  ASSERT_FALSE(assembled.refusal);
  EXPECT_EQ(assembled.body, Json::parse(test::kHelloBody));
}

TEST(AssembleChatTest, has_no_usage_where_the_stream_carried_none) {
  const auto assembled = assemble_chat(test::hello_stream());
  ASSERT_FALSE(assembled.refusal);
  EXPECT_FALSE(assembled.body.contains("usage"));
}

TEST(AssembleChatTest, joins_tool_calls_by_their_index) {
  const auto message = message_of(sse(
      {chunk(
           R"({"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]})"),
       chunk(
           R"({"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})"),
       chunk("{}", R"("finish_reason":"tool_calls")"), "[DONE]"}));
  EXPECT_EQ(message, Json::parse(R"({"role":"assistant","content":null,"tool_calls":[
      {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
      {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]})"));
}

TEST(AssembleChatTest, a_message_beside_the_deltas_is_a_guess_and_changes_nothing) {
  for (const std::string message : {R"("done")", R"({"content":"other"})", "[]"}) {
    const auto assembled = assemble_chat(
        sse({chunk(R"({"role":"assistant","content":"hi"})"),
             chunk("{}", R"("finish_reason":"stop","message":)" + message), "[DONE]"}));
    ASSERT_FALSE(assembled.refusal);
    EXPECT_FALSE(assembled.is_exact);
    EXPECT_EQ(assembled.body["choices"][0]["message"]["content"], "hi");
  }
}

TEST(AssembleChatTest, keeps_what_is_blank_in_every_chunk_as_it_is) {
  const std::string blank =
      R"({"id":"","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,)"
      R"("delta":{"role":"assistant","content":"hi"},"matched_stop":0,"finish_reason":"stop"}]})";
  const auto assembled = assemble_chat(sse({blank, blank, "[DONE]"}));
  ASSERT_FALSE(assembled.refusal);
  EXPECT_EQ(assembled.body["id"], "");
  EXPECT_EQ(assembled.body["created"], 0);
  EXPECT_EQ(assembled.body["choices"][0]["matched_stop"], 0);
}

TEST(AssembleChatTest, joins_the_older_function_call) {
  const auto message = message_of(
      sse({chunk(R"({"role":"assistant","function_call":{"name":"f","arguments":"{\"a\""}})"),
           chunk(R"({"function_call":{"arguments":":2}"}})"),
           chunk("{}", R"("finish_reason":"function_call")"), "[DONE]"}));
  EXPECT_EQ(message["function_call"], Json::parse(R"({"name":"f","arguments":"{\"a\":2}"})"));
}

TEST(AssembleChatTest, keeps_reasoning_refusals_and_what_it_does_not_know) {
  const auto message = message_of(sse(
      {chunk(
           R"({"role":"assistant","reasoning_content":"Let ","reasoning":"a","novelty":{"x":"1"}})"),
       chunk(R"({"reasoning_content":"me","reasoning":"b","novelty":{"y":true}})"),
       chunk(R"({"content":"Yes","refusal":"No"})"), chunk(R"({"refusal":" way"})"), stop(),
       "[DONE]"}));
  EXPECT_EQ(message["reasoning_content"], "Let me");
  EXPECT_EQ(message["reasoning"], "ab");
  EXPECT_EQ(message["content"], "Yes");
  EXPECT_EQ(message["refusal"], "No way");
  EXPECT_EQ(message["novelty"], Json::parse(R"({"x":"1","y":true})"));
}

TEST(AssembleChatTest, is_not_exact_where_it_would_have_to_guess) {
  const auto guessed = assemble_chat(sse({chunk(R"({"role":"assistant","novelty":"1"})"),
                                          chunk(R"({"novelty":"2"})"), stop(), "[DONE]"}));
  EXPECT_FALSE(guessed.refusal);
  EXPECT_FALSE(guessed.is_exact);
  const auto without_role = assemble_chat(sse({chunk(R"({"content":"a"})"), stop(), "[DONE]"}));
  EXPECT_FALSE(without_role.is_exact);
  EXPECT_TRUE(assemble_chat(test::hello_stream()).is_exact);
}

TEST(AssembleChatTest, joins_the_input_of_a_custom_tool) {
  const auto message = message_of(sse(
      {chunk(
           R"({"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":""}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"custom":{"input":"x y"}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"custom":{"input":" z"}}]})"),
       chunk("{}", R"("finish_reason":"tool_calls")"), "[DONE]"}));
  EXPECT_EQ(message["tool_calls"],
            Json::parse(R"([{"id":"a","type":"custom","custom":{"name":"f","input":"x y z"}}])"));
}

TEST(AssembleChatTest, joins_audio_and_its_transcript) {
  const auto message =
      message_of(sse({chunk(R"({"role":"assistant","audio":{"id":"au","transcript":"Hel"}})"),
                      chunk(R"({"audio":{"data":"AAAA","transcript":"lo"}})"),
                      chunk(R"({"audio":{"data":"BB=="}})"), chunk(R"({"audio":{"expires_at":9}})"),
                      stop(), "[DONE]"}));
  EXPECT_EQ(message["audio"], Json::parse(R"({"id":"au","transcript":"Hello","data":"AAAABB==",
                                              "expires_at":9})"));
}

TEST(AssembleChatTest, strings_log_probabilities_together) {
  const auto assembled = assemble_chat(
      sse({chunk(R"({"content":"a"})",
                 R"("logprobs":{"content":[{"token":"a","logprob":-0.5}]},"finish_reason":null)"),
           chunk(R"({"content":"b"})",
                 R"("logprobs":{"content":[{"token":"b","logprob":-1}]},"finish_reason":null)"),
           chunk("{}", R"("logprobs":null,"finish_reason":"stop")"), "[DONE]"}));
  ASSERT_FALSE(assembled.refusal);
  EXPECT_EQ(
      assembled.body["choices"][0]["logprobs"],
      Json::parse(R"({"content":[{"token":"a","logprob":-0.5},{"token":"b","logprob":-1}]})"));
}

TEST(AssembleChatTest, keeps_several_choices_apart_and_in_order) {
  const auto assembled =
      assemble_chat(sse({chunk(R"({"content":"two"})", R"("finish_reason":null)", 1),
                         chunk(R"({"content":"one"})"), stop(1), stop(0), "[DONE]"}));
  ASSERT_FALSE(assembled.refusal);
  EXPECT_EQ(assembled.body["choices"][0]["message"]["content"], "one");
  EXPECT_EQ(assembled.body["choices"][1]["message"]["content"], "two");
}

TEST(AssembleChatTest, reads_over_pings_and_padding) {
  const auto padded = R"({"id":"c1","choices":[],"obfuscation":"xyz"})";
  const auto assembled =
      assemble_chat(": ping\n\n" + sse({padded, chunk(R"({"content":"a"})"), stop(), "[DONE]"}));
  ASSERT_FALSE(assembled.refusal);
  EXPECT_FALSE(assembled.body.contains("obfuscation"));
}

TEST(AssembleChatTest, takes_a_terminal_event_without_its_blank_line) {
  EXPECT_FALSE(assemble_chat(sse({chunk(R"({"content":"a"})"), stop()}) + "data: [DONE]").refusal);
}

TEST(AssembleChatTest, refuses_a_stream_without_its_terminal_event) {
  EXPECT_EQ(assemble_chat(sse({chunk(R"({"content":"a"})"), stop()})).refusal,
            StoreRefusal::kUnfinished);
}

TEST(AssembleChatTest, refuses_an_error_in_either_form) {
  EXPECT_EQ(
      assemble_chat(sse({chunk("{}"), R"({"error":{"message":"overloaded"}})", "[DONE]"})).refusal,
      StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(assemble_chat(sse({chunk("{}"), stop()}) +
                          "event: error\ndata: {\"message\":\"overloaded\"}\n\ndata: [DONE]\n\n")
                .refusal,
            StoreRefusal::kErrorInAnswer);
}

TEST(AssembleChatTest, refuses_what_is_no_chunk) {
  for (const auto* data : {"not json", "[]", R"({"choices":[{"delta":{}}]})",
                           R"({"choices":[{"index":0,"delta":"text"}]})"}) {
    EXPECT_EQ(assemble_chat(sse({data, "[DONE]"})).refusal, StoreRefusal::kMalformed) << data;
  }
}

TEST(AssembleChatTest, refuses_a_stream_without_choices_or_with_data_after_its_end) {
  EXPECT_EQ(assemble_chat(sse({"[DONE]"})).refusal, StoreRefusal::kMalformed);
  EXPECT_EQ(assemble_chat(sse({stop(), "[DONE]", stop()})).refusal, StoreRefusal::kMalformed);
}

TEST(FindUsageChunkTest, finds_the_last_chunk_where_it_is_the_usage) {
  const auto stream = test::hello_stream_with_usage();
  EXPECT_EQ(find_usage_chunk(stream).block, sse({test::kUsageChunk}));
}

TEST(FindUsageChunkTest, says_whether_it_can_be_left_out) {
  EXPECT_TRUE(find_usage_chunk(test::hello_stream_with_usage()).has_only_usage);
  const std::string with_choice =
      R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":1}})";
  const auto stream = sse({with_choice, "[DONE]"});
  EXPECT_EQ(find_usage_chunk(stream).block, sse({with_choice}));
  EXPECT_FALSE(find_usage_chunk(stream).has_only_usage);
}

TEST(FindUsageChunkTest, looks_before_late_chunks_with_neither_choices_nor_usage) {
  const auto moderation = R"({"choices":[],"usage":null,"moderation":{"input":{}}})";
  const auto stream = sse({test::kStopChunk, test::kUsageChunk, moderation,
                           R"({"choices":[],"obfuscation":"x"})", "[DONE]"});
  EXPECT_EQ(find_usage_chunk(stream).block, sse({test::kUsageChunk}));
  EXPECT_TRUE(find_usage_chunk(stream).has_only_usage);
  EXPECT_EQ(find_usage_chunk(sse({test::kStopChunk, moderation, "[DONE]"})).block, "");
}

TEST(FindUsageChunkTest, never_looks_before_a_choice_or_what_is_no_chunk) {
  for (const std::string_view late : {test::kStopChunk, std::string_view("not json"),
                                      std::string_view("[]"), std::string_view("{}")}) {
    EXPECT_EQ(find_usage_chunk(sse({test::kUsageChunk, late, "[DONE]"})).block, "") << late;
  }
}

TEST(FindUsageChunkTest, is_empty_where_the_last_chunk_tells_no_usage) {
  EXPECT_EQ(find_usage_chunk(test::hello_stream()).block, "");
  EXPECT_EQ(find_usage_chunk("").block, "");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::chat_assembler_test
