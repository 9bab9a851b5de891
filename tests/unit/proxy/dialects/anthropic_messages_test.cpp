#include "proxy/dialects/anthropic_messages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/event_blocks.hpp"

namespace llm_edge_cache::proxy::anthropic_messages_test {
namespace {

const AnthropicMessagesDialect kDialect;
constexpr AnswerWish kJsonWish = {};
constexpr AnswerWish kStreamWish = {.form = AnswerForm::kStream};

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c",)"
    R"("content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}})";
constexpr std::string_view kTextBlock =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr std::string_view kHello =
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}})";
constexpr std::string_view kBlockStop = R"({"type":"content_block_stop","index":0})";
constexpr std::string_view kEndTurn =
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}})";
constexpr std::string_view kStop = R"({"type":"message_stop"})";

std::string events(const std::vector<std::string_view>& data) {
  std::string stream;
  for (const auto line : data) {
    append_event(stream, text_of(Json::parse(line)["type"]), line);
  }
  return stream;
}
std::string hello() {
  return events({kStart, kTextBlock, kHello, kBlockStop, kEndTurn, kStop});
}
std::optional<StoreRefusal> refusal_of(const std::string& stream) {
  return kDialect.review(AnswerForm::kStream, stream).refusal;
}

std::string body_with(std::string_view stop_reason, std::string_view content = "[]") {
  return R"({"id":"m","type":"message","role":"assistant","model":"c","content":)" +
         std::string(content) + R"(,"stop_reason":)" + std::string(stop_reason) +
         R"(,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}})";
}

TEST(AnthropicMessagesTest, matches_messages_alone) {
  EXPECT_TRUE(kDialect.matches("POST", "/v1/messages"));
  EXPECT_FALSE(kDialect.matches("GET", "/v1/messages"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/messages/count_tokens"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/messages/batches"));
}

TEST(AnthropicMessagesTest, reads_what_form_is_wanted) {
  EXPECT_EQ(*kDialect.read_wish(R"({"model":"c"})"), kJsonWish);
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":true,"stream_options":{"include_usage":true}})"),
            kStreamWish);
  EXPECT_FALSE(kDialect.read_wish(R"({"stream":"yes"})").ok());
}

TEST(AnthropicMessagesTest, leaves_requests_with_state_to_the_provider) {
  for (const auto* request :
       {R"({"container":"container_1"})", R"({"container":{"skills":[]}})",
        R"({"mcp_servers":[{"type":"url","url":"u","name":"n"}]})",
        R"({"tools":[{"type":"code_execution_20250825","name":"code_execution"}]})",
        R"({"thread":{"type":"create"}})", R"({"diagnostics":{"previous_message_id":null}})",
        R"({"fallback_credit_token":"t"})", R"({"tools":[{"type":"novelty","name":"x"}]})",
        R"({"tools":[{"type":"bash_novelty","name":"x"}]})", R"({"tools":7})",
        R"({"tools":[7]})"}) {
    EXPECT_FALSE(kDialect.read_wish(request).ok()) << request;
  }
}

TEST(AnthropicMessagesTest, caches_requests_whose_tools_keep_no_state) {
  for (
      const auto* request :
      {R"({"tools":[{"name":"f","input_schema":{"type":"object"}}]})",
       R"({"tools":[{"type":"custom","name":"f"},{"type":"web_search_20250305","name":"w"}]})",
       R"({"tools":[{"type":"bash_20250124","name":"bash"}],"mcp_servers":[],"container":null})",
       R"({"tools":[{"type":"tool_search_tool_regex_20251119","name":"t"},{"type":"computer_toolset_20260801"}]})",
       R"({"tools":null,"thread":null})"}) {
    EXPECT_TRUE(kDialect.read_wish(request).ok()) << request;
  }
}

// A request with a tool that comes amid the conversation.
std::string request_with_addition(const std::string& tool) {
  return R"({"messages":[{"role":"user","content":"Hi"},{"role":"system","content":[)"
         R"({"type":"text","text":"More."},{"type":"tool_addition","tool":)" +
         tool + "}]}]}";
}
std::string definition(const std::string& tool) {
  return R"({"type":"tool_definition","definition":)" + tool + "}";
}

TEST(AnthropicMessagesTest, tools_that_a_message_brings_are_judged_like_those_of_the_request) {
  for (const auto& tool : {definition(R"({"name":"f","input_schema":{"type":"object"}})"),
                           definition(R"({"type":"custom","name":"f"})"),
                           definition(R"({"type":"web_search_20250305","name":"w"})"),
                           std::string(R"({"type":"tool_reference","name":"f"})")}) {
    EXPECT_TRUE(kDialect.read_wish(request_with_addition(tool)).ok()) << tool;
  }
  for (const auto& tool :
       {definition(R"({"type":"code_execution_20250825","name":"code_execution"})"),
        definition(R"({"type":"mcp_toolset","mcp_server_name":"s"})"), definition("7"),
        definition("null"), std::string(R"({"type":"mcp_toolset_reference","server_name":"s"})"),
        std::string(R"({"type":"tool_reference","definition":{"type":"novelty"}})"),
        std::string("null")}) {
    EXPECT_FALSE(kDialect.read_wish(request_with_addition(tool)).ok()) << tool;
  }
}

TEST(AnthropicMessagesTest, finds_tools_in_blocks_that_hold_others) {
  const auto caches = [](const std::string& type, const std::string& member,
                         const std::string& tool) {
    const auto addition = R"({"type":"tool_addition","tool":)" + definition(tool) + "}";
    return kDialect
        .read_wish(R"({"messages":[{"role":"user","content":[{"type":")" + type + R"(",")" +
                   member + R"(":[)" + addition + "]}]}]}")
        .ok();
  };
  const std::string other = R"({"type":"code_execution_20250825","name":"code_execution"})";
  EXPECT_FALSE(caches("mid_conv_system", "content", other));
  EXPECT_FALSE(caches("compaction", "tool_changes", other));
  EXPECT_TRUE(caches("mid_conv_system", "content", R"({"name":"f"})"));
  EXPECT_TRUE(caches("compaction", "tool_changes", R"({"name":"f"})"));
}

TEST(AnthropicMessagesTest, a_complete_message_says_what_it_is) {
  const auto review = kDialect.review(AnswerForm::kStream, hello());
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.model, "c");
  EXPECT_EQ(review.finish_reason, "end_turn");
  EXPECT_EQ(review.usage, (TokenUsage{3, 5, 8}));
}

TEST(AnthropicMessagesTest, counts_cached_prompt_tokens_among_the_prompt) {
  const auto body =
      R"({"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,)"
      R"("cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":2}})";
  EXPECT_EQ(kDialect.review(AnswerForm::kJson, body).usage, (TokenUsage{111, 2, 113}));
}

TEST(AnthropicMessagesTest, refuses_what_did_not_end_of_itself) {
  for (const auto* reason : {R"("max_tokens")", R"("pause_turn")", R"("refusal")",
                             R"("model_context_window_exceeded")", R"("novelty")"}) {
    EXPECT_EQ(kDialect.review(AnswerForm::kJson, body_with(reason)).refusal,
              StoreRefusal::kFinishReason)
        << reason;
  }
  EXPECT_EQ(kDialect.review(AnswerForm::kJson, body_with("null")).refusal,
            StoreRefusal::kUnfinished);
}

TEST(AnthropicMessagesTest, refuses_errors_in_either_form) {
  const std::string error =
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})";
  EXPECT_EQ(kDialect.review(AnswerForm::kJson, error).refusal, StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(refusal_of(events({kStart, kTextBlock, kHello, error})), StoreRefusal::kErrorInAnswer);
}

TEST(AnthropicMessagesTest, refuses_an_answer_to_which_a_tool_of_the_provider_failed) {
  for (
      const std::string block :
      {R"({"type":"web_search_tool_result","tool_use_id":"t","content":{"type":"web_search_tool_result_error","error_code":"unavailable"}})",
       R"({"type":"mcp_tool_result","tool_use_id":"t","is_error":true,"content":[]})"}) {
    EXPECT_EQ(
        kDialect.review(AnswerForm::kJson, body_with(R"("end_turn")", "[" + block + "]")).refusal,
        StoreRefusal::kErrorInAnswer)
        << block;
  }
  EXPECT_FALSE(
      kDialect
          .review(AnswerForm::kJson,
                  body_with(R"("end_turn")", R"([{"type":"web_search_tool_result","content":[]}])"))
          .refusal);
}

TEST(AnthropicMessagesTest, refuses_an_answer_whose_compaction_failed) {
  const auto refusal = [](const std::string& content) {
    return kDialect
        .review(AnswerForm::kJson,
                body_with(R"("end_turn")", R"([{"type":"compaction","content":)" + content + "}]"))
        .refusal;
  };
  EXPECT_EQ(refusal("null"), StoreRefusal::kErrorInAnswer);
  EXPECT_FALSE(refusal(R"("What was said.")"));
}

TEST(AnthropicMessagesTest, a_stream_tells_by_its_deltas_whether_a_compaction_failed) {
  const auto stream = [](std::string_view delta) {
    return events(
        {kStart,
         R"({"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}})",
         delta, kBlockStop, kEndTurn, kStop});
  };
  const auto summed_up = stream(
      R"({"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"What was said."}})");
  EXPECT_FALSE(refusal_of(summed_up));
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, summed_up, kJsonWish).ok());
  EXPECT_EQ(
      refusal_of(stream(
          R"({"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":null}})")),
      StoreRefusal::kErrorInAnswer);
}

// Members that are built of other events.
TEST(AnthropicMessagesTest, the_end_of_a_message_cannot_replace_what_came_before) {
  for (const std::string member : {R"("content":[{"type":"text","text":""}])", R"("content":"x")",
                                   R"("usage":1)", R"("usage":{"input_tokens":9})"}) {
    const auto end = R"({"type":"message_delta","delta":{"stop_reason":"end_turn",)" + member +
                     R"(},"usage":{"output_tokens":5}})";
    const auto stream = events({kStart, kTextBlock, kHello, kBlockStop, end, kStop});
    const auto review = kDialect.review(AnswerForm::kStream, stream);
    EXPECT_FALSE(review.refusal) << member;
    EXPECT_EQ(review.usage, (TokenUsage{3, 5, 8})) << member;
    EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok()) << member;
    // Within an open block, which would lose its place.
    EXPECT_FALSE(refusal_of(events({kStart, kTextBlock, end, kHello, kBlockStop, kStop})))
        << member;
  }
}

TEST(AnthropicMessagesTest, a_usage_that_is_no_object_is_replayed_but_not_put_together) {
  const auto stream = events(
      {kStart, R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":3})", kStop});
  EXPECT_FALSE(refusal_of(stream));
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok());
}

TEST(AnthropicMessagesTest, refuses_an_answer_that_hands_out_a_container) {
  EXPECT_TRUE(kDialect
                  .review(AnswerForm::kJson,
                          R"({"type":"message","content":[],"stop_reason":"end_turn",)"
                          R"("container":{"id":"c_1","expires_at":"2026"}})")
                  .refusal);
}

TEST(AnthropicMessagesTest, refuses_a_stream_that_is_no_message) {
  EXPECT_EQ(refusal_of(""), StoreRefusal::kUnfinished);
  EXPECT_EQ(refusal_of(events({kTextBlock, kStop})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(events({kStart, kStart, kStop})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(events({kStart, kHello, kEndTurn, kStop})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(events({kStart, kTextBlock, kTextBlock})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(hello() + events({kHello})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of("data: {\n\n"), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of("data: {\"type\":7}\n\n"), StoreRefusal::kMalformed);
}

TEST(AnthropicMessagesTest, refuses_a_stream_whose_last_block_is_open) {
  EXPECT_EQ(refusal_of(events({kStart, kTextBlock, kHello, kEndTurn, kStop})),
            StoreRefusal::kUnfinished);
}

TEST(AnthropicMessagesTest, a_ping_may_come_anywhere) {
  const auto ping = events({R"({"type":"ping"})"});
  EXPECT_FALSE(refusal_of(ping + hello() + ping));
}

// What is complete but not understood is replayed and nothing else.
void expect_replay_only(const std::string& stream) {
  EXPECT_FALSE(refusal_of(stream)) << stream;
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok()) << stream;
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kStreamWish)->has_value());
}

TEST(AnthropicMessagesTest, what_it_does_not_know_is_replayed_but_not_put_together) {
  expect_replay_only(
      events({kStart, kTextBlock, R"({"type":"novelty"})", kHello, kBlockStop, kEndTurn, kStop}));
  expect_replay_only(events(
      {kStart, R"({"type":"content_block_start","index":0,"content_block":{"type":"novelty"}})",
       kBlockStop, kEndTurn, kStop}));
  expect_replay_only(events(
      {kStart, kTextBlock,
       R"({"type":"content_block_delta","index":0,"delta":{"type":"novelty_delta","x":"y"}})",
       kBlockStop, kEndTurn, kStop}));
  expect_replay_only(events(
      {kStart, kTextBlock, kHello, kBlockStop, kEndTurn,
       R"({"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}})"}));
  expect_replay_only(events(
      {kStart, kTextBlock,
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"y"}})",
       kBlockStop, kEndTurn, kStop}));
}

std::string stream_of_tool_input(const std::string& input) {
  const Json delta = {{"type", "content_block_delta"},
                      {"index", 0},
                      {"delta", {{"type", "input_json_delta"}, {"partial_json", input}}}};
  const auto text = delta.dump();
  return events(
      {kStart,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})",
       text.c_str(), kBlockStop, kEndTurn, kStop});
}

// Whoever asks again because the input cannot be read is not to get it again.
TEST(AnthropicMessagesTest, tool_input_that_is_no_json_is_not_kept) {
  for (const auto* input : {R"({"a":)", "a", "{}{}"}) {
    EXPECT_EQ(kDialect.review(AnswerForm::kStream, stream_of_tool_input(input)).refusal,
              StoreRefusal::kMalformed)
        << input;
  }
  EXPECT_FALSE(kDialect.review(AnswerForm::kStream, stream_of_tool_input("")).refusal);
}

TEST(AnthropicMessagesTest, tool_input_that_would_not_be_written_again_is_not_put_together) {
  expect_replay_only(stream_of_tool_input(R"({"a":1234567890123456789012})"));
  expect_replay_only(stream_of_tool_input(R"({"a":1,"a":2})"));
}

TEST(AnthropicMessagesTest, a_second_signature_is_not_put_together) {
  const auto* const signature =
      R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}})";
  expect_replay_only(events(
      {kStart,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
       signature, signature, kBlockStop, kEndTurn, kStop}));
}

TEST(AnthropicMessagesTest, counts_of_the_end_replace_those_of_the_start) {
  const auto adapted = kDialect.adapt(AnswerForm::kStream, hello(), kJsonWish);
  ASSERT_TRUE(adapted.ok());
  EXPECT_EQ(Json::parse(**adapted)["usage"],
            Json::parse(R"({"input_tokens":3,"output_tokens":5})"));
}

TEST(AnthropicMessagesTest, refuses_to_split_a_block_it_does_not_know) {
  const auto body = body_with(R"("end_turn")", R"([{"type":"novelty","x":1}])");
  EXPECT_FALSE(kDialect.review(AnswerForm::kJson, body).refusal);
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body, kStreamWish).ok());
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body, kJsonWish)->has_value());
}

TEST(AnthropicMessagesTest, refuses_to_split_what_would_not_come_back) {
  for (const auto* content : {"[7]", R"([{"type":"text"}])", R"([{"type":"text","text":7}])",
                              R"([{"type":"text","text":"a","citations":"b"}])"}) {
    EXPECT_FALSE(
        kDialect.adapt(AnswerForm::kJson, body_with(R"("end_turn")", content), kStreamWish).ok())
        << content;
  }
}

TEST(AnthropicMessagesTest, members_of_beta_messages_survive_a_stream) {
  const auto* const body =
      R"({"id":"m","type":"message","role":"assistant","model":"c","container":null,"content":[],)"
      R"("context_management":{"applied_edits":[]},"diagnostics":null,"stop_reason":"end_turn",)"
      R"("stop_sequence":null,"stop_details":null,"input_transformations":null,)"
      R"("usage":{"input_tokens":3,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2},)"
      R"("inference_geo":"us"}})";
  const auto stream = kDialect.adapt(AnswerForm::kJson, body, kStreamWish);
  ASSERT_TRUE(stream.ok());
  const auto again = kDialect.adapt(AnswerForm::kStream, **stream, kJsonWish);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(says_the_same(Json::parse(**again), Json::parse(body)));
}

// The first event of a type; null where there is none.
Json event_of(std::string_view stream, std::string_view type) {
  for (const auto block : event_blocks(stream)) {
    if (event_type(block) == type) {
      return Json::parse(event_data(block));
    }
  }
  return {};
}

TEST(AnthropicMessagesTest, a_stream_tells_transformations_of_the_input_at_its_start) {
  auto body = Json::parse(body_with(R"("end_turn")"));
  const Json dropped = {{{"type", "thinking_dropped"}, {"path", "messages.1.content.0"}}};
  const Json edits = {{"applied_edits", Json::array()}};
  body["input_transformations"] = dropped;
  body["context_management"] = edits;
  const auto stream = kDialect.adapt(AnswerForm::kJson, body.dump(), kStreamWish);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  const auto start = event_of(**stream, "message_start")["message"];
  EXPECT_EQ(start["input_transformations"], dropped);
  EXPECT_TRUE(start["context_management"].is_null());
  const auto end = event_of(**stream, "message_delta");
  EXPECT_FALSE(end.contains("input_transformations"));
  EXPECT_EQ(end["context_management"], edits);
  const auto again = kDialect.adapt(AnswerForm::kStream, **stream, kJsonWish);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(says_the_same(Json::parse(**again), body));
}

TEST(AnthropicMessagesTest, the_end_of_a_message_may_replace_transformations_of_the_input) {
  const auto stream = events(
      {kStart,
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5},"input_transformations":[{"type":"x"}],"context_management":{"applied_edits":[]}})",
       kStop});
  const auto adapted = kDialect.adapt(AnswerForm::kStream, stream, kJsonWish);
  ASSERT_TRUE(adapted.ok());
  const auto body = Json::parse(**adapted);
  EXPECT_EQ(body["input_transformations"], Json::parse(R"([{"type":"x"}])"));
  EXPECT_EQ(body["context_management"], Json::parse(R"({"applied_edits":[]})"));
}

TEST(AnthropicMessagesTest, long_text_comes_in_pieces) {
  const std::string text(2'000, 'x');
  const auto body = body_with(R"("end_turn")", R"([{"type":"text","text":")" + text + R"("}])");
  const auto stream = kDialect.adapt(AnswerForm::kJson, body, kStreamWish);
  ASSERT_TRUE(stream.ok());
  EXPECT_GT(event_blocks(**stream).size(), 20U);
}

TEST(AnthropicMessagesTest, errors_have_the_shape_that_clients_expect) {
  EXPECT_EQ(Json::parse(kDialect.error_body({504, "upstream_timeout", "Too \"late\"."})),
            Json::parse(R"({"type":"error","error":{"type":"timeout_error",
                            "message":"Too \"late\".","code":"upstream_timeout"}})"));
  const auto type_of = [](unsigned status) {
    return text_of(Json::parse(kDialect.error_body({status, "x", "y"}))["error"]["type"]);
  };
  EXPECT_EQ(type_of(400), "invalid_request_error");
  EXPECT_EQ(type_of(413), "request_too_large");
  EXPECT_EQ(type_of(502), "api_error");
  EXPECT_EQ(type_of(503), "overloaded_error");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::anthropic_messages_test
