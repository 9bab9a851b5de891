#include "proxy/dialects/openai_responses.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/event_blocks.hpp"

namespace llm_edge_cache::proxy::openai_responses_test {
namespace {

const OpenAiResponsesDialect kDialect;
constexpr AnswerWish kJsonWish = {};
constexpr AnswerWish kStreamWish = {.form = AnswerForm::kStream};

std::string response(std::string_view output = "[]", std::string_view status = "completed",
                     std::string_view error = "null") {
  return R"({"id":"r","object":"response","status":")" + std::string(status) + R"(","error":)" +
         std::string(error) + R"(,"model":"m","output":)" + std::string(output) +
         R"(,"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}})";
}

std::string events(const std::vector<std::string>& data) {
  std::string stream;
  for (const auto& line : data) {
    append_event(stream, text_of(Json::parse(line)["type"]), line);
  }
  return stream;
}
std::string completed(const std::string& body) {
  return R"({"type":"response.completed","sequence_number":9,"response":)" + body + "}";
}
std::optional<StoreRefusal> refusal_of(const std::string& stream) {
  return kDialect.review(AnswerForm::kStream, stream).refusal;
}

TEST(OpenAiResponsesTest, matches_responses_alone) {
  EXPECT_TRUE(kDialect.matches("POST", "/v1/responses"));
  EXPECT_FALSE(kDialect.matches("GET", "/v1/responses"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/responses/resp_1/cancel"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/responses/input_tokens"));
}

TEST(OpenAiResponsesTest, what_an_answer_repeats_is_in_the_key) {
  EXPECT_EQ(kDialect.default_keyless_members(),
            (std::vector<std::string>{"stream", "stream_options"}));
}

TEST(OpenAiResponsesTest, usage_needs_no_asking) {
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":true,"stream_options":{"include_usage":true}})"),
            kStreamWish);
}

TEST(OpenAiResponsesTest, leaves_requests_with_state_to_the_provider) {
  for (const auto* request :
       {R"({"previous_response_id":"resp_1"})", R"({"conversation":"conv_1"})",
        R"({"conversation":{"id":"conv_1"}})", R"({"background":true})", R"({"background":"yes"})",
        R"({"prompt":{"id":"pmpt_1"}})", R"({"prompt_cache_options":{"prewarm":true}})",
        R"({"prompt_cache_options":{"comparison_response_id":"resp_1"}})",
        R"({"input":[{"type":"item_reference","id":"msg_1"}]})",
        R"({"tools":[{"type":"file_search","vector_store_ids":["v"]}]})",
        R"({"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]})",
        R"({"tools":[{"type":"mcp","server_url":"u"}]})", R"({"tools":[{"type":"novelty"}]})",
        R"({"tools":{}})"}) {
    EXPECT_FALSE(kDialect.read_wish(request).ok()) << request;
  }
}

TEST(OpenAiResponsesTest, caches_requests_without) {
  for (
      const auto* request :
      {R"({"input":"Hi","store":true,"prompt_cache_options":{"mode":"implicit","ttl":"30m"}})",
       R"({"store":false,"background":false})",
       R"({"previous_response_id":null,"conversation":null,"prompt":null,"tools":null})",
       R"({"input":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","name":"f"},{"type":"web_search"}]})"}) {
    EXPECT_TRUE(kDialect.read_wish(request).ok()) << request;
  }
}

bool caches_tool(const std::string& tool) {
  return kDialect.read_wish(R"({"tools":[)" + tool + "]}").ok();
}
bool caches_input(const std::string& item) {
  return kDialect.read_wish(R"({"input":[{"role":"user","content":"Hi"},)" + item + "]}").ok();
}

TEST(OpenAiResponsesTest, caches_requests_whose_tools_the_client_runs) {
  for (
      const auto* tool :
      {R"({"type":"computer"})", R"({"type":"computer_use_preview"})", R"({"type":"apply_patch"})",
       R"({"type":"local_shell"})", R"({"type":"shell","environment":{"type":"local"}})",
       R"({"type":"tool_search","execution":"client"})",
       R"({"type":"namespace","name":"n","tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"}]})",
       R"({"type":"namespace","name":"n","tools":[]})"}) {
    EXPECT_TRUE(caches_tool(tool)) << tool;
  }
}

TEST(OpenAiResponsesTest, leaves_tools_that_the_provider_runs_to_it) {
  for (const auto* tool :
       {R"({"type":"shell"})", R"({"type":"shell","environment":null})",
        R"({"type":"shell","environment":{"type":"container_auto"}})",
        R"({"type":"shell","environment":{"type":"container_reference","container_id":"c"}})",
        R"({"type":"tool_search"})", R"({"type":"tool_search","execution":"server"})",
        R"({"type":"namespace","name":"n"})",
        R"({"type":"namespace","tools":[{"type":"function","name":"f"},{"type":"mcp"}]})",
        R"({"type":"namespace","tools":[{"type":"namespace","tools":[{"type":"mcp"}]}]})",
        R"({"type":"programmatic_tool_calling"})"}) {
    EXPECT_FALSE(caches_tool(tool)) << tool;
  }
}

TEST(OpenAiResponsesTest, a_search_of_the_web_may_have_any_date) {
  for (const std::string type :
       {"web_search", "web_search_2025_08_26", "web_search_2031_01_01", "web_search_preview",
        "web_search_preview_2025_03_11", "web_search_preview_2031_01_01"}) {
    EXPECT_TRUE(caches_tool(R"({"type":")" + type + R"("})")) << type;
  }
  for (const std::string type :
       {"web_search_", "web_search_novelty", "web_search_2025_08", "web_search_2025-08-26",
        "web_search_2025_08_26_", "web_search2025_08_26", "web_searches"}) {
    EXPECT_FALSE(caches_tool(R"({"type":")" + type + R"("})")) << type;
  }
}

TEST(OpenAiResponsesTest, tools_of_input_items_are_judged_like_those_of_the_request) {
  for (const std::string type : {"additional_tools", "tool_search_output"}) {
    const auto with_tools = [&](const std::string& tools) {
      return R"({"type":")" + type + R"(","role":"developer","tools":)" + tools + "}";
    };
    for (const auto* kept : {"null", "[]", R"([{"type":"function","name":"f"}])",
                             R"([{"type":"namespace","tools":[{"type":"function"}]}])"}) {
      EXPECT_TRUE(caches_input(with_tools(kept))) << type << kept;
    }
    for (const auto* other :
         {R"([{"type":"mcp","server_url":"u"}])", "{}", "7", R"([{"name":"untyped"}])",
          R"([{"type":"function"},{"type":"code_interpreter"}])",
          R"([{"type":"namespace","tools":[{"type":"file_search"}]}])"}) {
      EXPECT_FALSE(caches_input(with_tools(other))) << type << other;
    }
  }
  EXPECT_FALSE(caches_input(R"({"type":"mcp_list_tools","id":"m","tools":[{"name":"t"}]})"));
}

TEST(OpenAiResponsesTest, an_item_known_by_its_id_only_is_left_to_the_provider) {
  for (const auto* item :
       {R"({"type":"item_reference","id":"msg_1"})", R"({"id":"msg_1"})",
        R"({"type":null,"role":null,"id":"msg_1"})", R"({"type":"image_generation_call","id":"i"})",
        R"({"type":"image_generation_call","id":"i","status":"completed","result":null})"}) {
    EXPECT_FALSE(caches_input(item)) << item;
  }
}

TEST(OpenAiResponsesTest, an_item_that_says_all_of_itself_refers_to_none) {
  for (const auto* item :
       {R"({"id":"msg_1","role":"assistant","content":"Hi"})", R"({"content":"Hi"})",
        R"({"type":"message","id":"msg_1","role":"user","content":"Hi"})",
        R"({"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"})",
        R"({"type":"image_generation_call","id":"i","result":"AAAA"})"}) {
    EXPECT_TRUE(caches_input(item)) << item;
  }
}

TEST(OpenAiResponsesTest, a_complete_response_says_what_it_is) {
  const auto review = kDialect.review(AnswerForm::kStream, events({completed(response())}));
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.model, "m");
  EXPECT_EQ(review.finish_reason, "completed");
  EXPECT_EQ(review.usage, (TokenUsage{3, 4, 7}));
}

TEST(OpenAiResponsesTest, refuses_what_is_not_completed) {
  const auto review = [](const std::string& body) {
    return kDialect.review(AnswerForm::kJson, body).refusal;
  };
  EXPECT_EQ(review(response("[]", "incomplete")), StoreRefusal::kFinishReason);
  for (const auto* status : {"failed", "in_progress", "queued", "cancelled", ""}) {
    EXPECT_EQ(review(response("[]", status)), StoreRefusal::kUnfinished) << status;
  }
  EXPECT_EQ(review(response("[]", "completed", R"({"code":"server_error"})")),
            StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(review("{}"), StoreRefusal::kMalformed);
  EXPECT_EQ(review(response("7")), StoreRefusal::kMalformed);
}

TEST(OpenAiResponsesTest, refuses_an_answer_to_which_a_tool_of_the_provider_failed) {
  const auto refusal_with = [](const std::string& status) {
    return kDialect
        .review(AnswerForm::kJson,
                R"({"object":"response","status":"completed","error":null,"output":[)"
                R"({"type":"web_search_call","id":"w","status":")" +
                    status + R"("}]})")
        .refusal;
  };
  EXPECT_EQ(refusal_with("failed"), StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(refusal_with("incomplete"), StoreRefusal::kErrorInAnswer);
  EXPECT_FALSE(refusal_with("completed"));
}

TEST(OpenAiResponsesTest, does_not_keep_what_tools_left_to_the_provider_said) {
  for (const std::string type :
       {"mcp_call", "mcp_list_tools", "mcp_approval_request", "file_search_call",
        "code_interpreter_call", "shell_call_output", "program_output"}) {
    const auto body = response(R"([{"type":")" + type + R"(","id":"x","status":"completed"}])");
    EXPECT_EQ(kDialect.review(AnswerForm::kJson, body).refusal, StoreRefusal::kNotAsked) << type;
  }
  for (const std::string type : {"shell_call", "tool_search_call", "program", "web_search_call"}) {
    const auto body = response(R"([{"type":")" + type + R"(","id":"x","status":"completed"}])");
    EXPECT_FALSE(kDialect.review(AnswerForm::kJson, body).refusal) << type;
  }
}

TEST(OpenAiResponsesTest, refuses_an_answer_whose_moderation_failed) {
  const auto refusal_with = [](const std::string& input, const std::string& output) {
    auto body = Json::parse(response());
    body["moderation"] = {{"input", {{"type", input}}}, {"output", {{"type", output}}}};
    EXPECT_EQ(kDialect.review(AnswerForm::kJson, body.dump()).refusal,
              refusal_of(events({completed(body.dump())})));
    return kDialect.review(AnswerForm::kJson, body.dump()).refusal;
  };
  EXPECT_EQ(refusal_with("error", "moderation_result"), StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(refusal_with("moderation_result", "error"), StoreRefusal::kErrorInAnswer);
  EXPECT_FALSE(refusal_with("moderation_result", "moderation_result"));
}

TEST(OpenAiResponsesTest, refuses_calls_whose_arguments_no_tool_can_read) {
  const auto refusal = [](const std::string& arguments) {
    const Json call = {{"type", "function_call"}, {"id", "f"}, {"arguments", arguments}};
    return kDialect.review(AnswerForm::kJson, response("[" + call.dump() + "]")).refusal;
  };
  EXPECT_FALSE(refusal(R"({"city":"Paris"})"));
  EXPECT_FALSE(refusal(""));
  EXPECT_EQ(refusal(R"({"city":)"), StoreRefusal::kMalformed);
}

TEST(OpenAiResponsesTest, refuses_streams_that_did_not_end_well) {
  EXPECT_EQ(refusal_of(""), StoreRefusal::kUnfinished);
  EXPECT_EQ(refusal_of(events({R"({"type":"response.created","response":{}})"})),
            StoreRefusal::kUnfinished);
  EXPECT_EQ(refusal_of(events({R"({"type":"response.incomplete","response":{}})"})),
            StoreRefusal::kFinishReason);
  EXPECT_EQ(refusal_of(events({R"({"type":"response.failed","response":{}})"})),
            StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(refusal_of(events({R"({"type":"error","code":"x","message":"y"})"})),
            StoreRefusal::kErrorInAnswer);
  EXPECT_EQ(refusal_of("data: {}\n\n"), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(events({R"({"type":"response.completed"})"})), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(events({completed(response("[]", "incomplete"))})),
            StoreRefusal::kFinishReason);
}

TEST(OpenAiResponsesTest, nothing_may_follow_the_end_but_done) {
  const auto stream = events({completed(response())});
  EXPECT_FALSE(refusal_of(stream + "data: [DONE]\n\n"));
  EXPECT_EQ(refusal_of(stream + stream), StoreRefusal::kMalformed);
}

void expect_replay_only(const std::string& stream) {
  EXPECT_FALSE(refusal_of(stream)) << stream;
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok()) << stream;
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kStreamWish)->has_value());
}

TEST(OpenAiResponsesTest, what_it_does_not_know_is_replayed_but_not_put_together) {
  expect_replay_only(events({R"({"type":"response.novelty"})", completed(response())}));
  expect_replay_only(
      events({R"({"type":"response.completed","novelty":1,"response":)" + response() + "}"}));
}

TEST(OpenAiResponsesTest, signs_of_life_say_nothing_of_the_response) {
  for (const auto* sign : {R"({"type":"keepalive","sequence_number":3})", R"({"type":"ping"})"}) {
    const auto stream = events({sign, completed(response())});
    const auto adapted = kDialect.adapt(AnswerForm::kStream, stream, kJsonWish);
    ASSERT_TRUE(adapted.ok()) << sign;
    EXPECT_EQ(Json::parse(**adapted), Json::parse(response()));
    EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kStreamWish)->has_value());
  }
}

TEST(OpenAiResponsesTest, items_that_the_end_does_not_repeat_are_not_put_together) {
  const std::string item =
      R"({"type":"response.output_item.done","output_index":0,"item":{"id":"m_1","type":"message"}})";
  expect_replay_only(events({item, completed(response())}));
  expect_replay_only(events({completed(response(R"([{"id":"m_1","type":"message"}])"))}));
  EXPECT_TRUE(kDialect
                  .adapt(AnswerForm::kStream,
                         events({item, completed(response(R"([{"id":"m_1","type":"message"}])"))}),
                         kJsonWish)
                  .ok());
}

TEST(OpenAiResponsesTest, refuses_to_split_items_and_parts_it_does_not_know) {
  for (const auto* item :
       {R"({"type":"novelty"})", R"({"type":"image_generation_call","id":"i"})", "7",
        R"({"type":"message","id":"m","content":[{"type":"novelty"}]})",
        R"({"type":"message","id":"m","content":[{"type":"output_text","text":7}]})",
        R"({"type":"function_call","id":"f"})",
        R"({"type":"reasoning","id":"r","summary":[{"type":"novelty","text":"a"}]})"}) {
    const auto body = response("[" + std::string(item) + "]");
    EXPECT_FALSE(kDialect.review(AnswerForm::kJson, body).refusal) << item;
    EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body, kStreamWish).ok()) << item;
  }
}

TEST(OpenAiResponsesTest, events_are_numbered_from_zero_without_a_gap) {
  const auto body =
      response(R"([{"type":"message","id":"m","status":"completed","role":"assistant",)"
               R"("content":[{"type":"output_text","text":"Hello","annotations":[]}]}])");
  const auto stream = kDialect.adapt(AnswerForm::kJson, body, kStreamWish);
  ASSERT_TRUE(stream.ok());
  std::size_t number = 0;
  for (const auto block : event_blocks(**stream)) {
    const auto event = Json::parse(event_data(block));
    EXPECT_EQ(event["sequence_number"], number++);
    EXPECT_EQ(event["type"], event_type(block));
  }
  EXPECT_EQ(number, 9U);
}

TEST(OpenAiResponsesTest, log_probabilities_come_with_the_whole_text) {
  const auto body = response(
      R"([{"type":"message","id":"m","status":"completed","role":"assistant","content":[{"type":)"
      R"("output_text","text":"Hi there","annotations":[],"logprobs":[{"token":"Hi","logprob":-1},)"
      R"({"token":" there","logprob":-2}]}]}])");
  const auto stream = kDialect.adapt(AnswerForm::kJson, body, kStreamWish);
  ASSERT_TRUE(stream.ok());
  EXPECT_NE((*stream)->find(R"("delta":"Hi there","logprobs":[{"token":"Hi","logprob":-1},)"),
            std::string::npos);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::openai_responses_test
