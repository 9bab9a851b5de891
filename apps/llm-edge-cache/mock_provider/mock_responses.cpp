#include "mock_provider/mock_responses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace llm_edge_cache::app {

namespace {

// An item of the output and the events in which it comes, between `added` and `done`.
struct Item {
  Json begun;
  std::vector<std::pair<std::string, Json>> events;
  Json whole;
};

struct Answer {
  std::vector<Item> items;
  std::size_t tokens = 0;
  bool is_cut = false;
};

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const auto& token : tokens) text += token;
  return text;
}

Item reasoning_item(MockRandom& random) {
  const auto tokens = mock_tokens(mock_sentence(random, 10));
  const auto id = fmt::format("rs_{:016x}", random.next());
  const Json at = {{"item_id", id}, {"summary_index", 0}};
  const Json part = {{"type", "summary_text"}, {"text", joined(tokens)}};
  Item item;
  item.begun = {{"id", id}, {"type", "reasoning"}, {"summary", Json::array()}};
  item.whole = {{"id", id}, {"type", "reasoning"}, {"summary", Json::array({part})}};
  const auto add = [&](const char* type, const Json& more) {
    Json event = at;
    event.update(more);
    item.events.emplace_back(type, std::move(event));
  };
  add("response.reasoning_summary_part.added",
      {{"part", {{"type", "summary_text"}, {"text", ""}}}});
  for (const auto& token : tokens) {
    add("response.reasoning_summary_text.delta", {{"delta", token}});
  }
  add("response.reasoning_summary_text.done", {{"text", joined(tokens)}});
  add("response.reasoning_summary_part.done", {{"part", part}});
  return item;
}

Item function_item(MockRandom& random, const Json& tool) {
  auto value = mock_value(random, mock_member(tool, "parameters"));
  const auto tokens = mock_tokens((value.is_object() ? value : Json::object()).dump());
  const auto id = fmt::format("fc_{:016x}", random.next());
  Item item;
  item.whole = {{"id", id},
                {"type", "function_call"},
                {"status", "completed"},
                {"arguments", joined(tokens)},
                {"call_id", fmt::format("call_{:016x}", random.next())},
                {"name", mock_member(tool, "name")}};
  item.begun = item.whole;
  item.begun["status"] = "in_progress";
  item.begun["arguments"] = "";
  for (const auto& token : tokens) {
    item.events.emplace_back("response.function_call_arguments.delta",
                             Json{{"item_id", id}, {"delta", token}});
  }
  item.events.emplace_back(
      "response.function_call_arguments.done",
      Json{{"item_id", id}, {"name", mock_member(tool, "name")}, {"arguments", joined(tokens)}});
  return item;
}

Item search_item(MockRandom& random, const std::string& asked) {
  const auto id = fmt::format("ws_{:016x}", random.next());
  Item item;
  item.begun = {{"id", id}, {"type", "web_search_call"}, {"status", "in_progress"}};
  item.whole = {{"id", id},
                {"type", "web_search_call"},
                {"status", "completed"},
                {"action", {{"type", "search"}, {"query", asked}}}};
  for (const auto* step : {"in_progress", "searching", "completed"}) {
    item.events.emplace_back(fmt::format("response.web_search_call.{}", step),
                             Json{{"item_id", id}});
  }
  return item;
}

Item message_item(MockRandom& random, const std::vector<std::string>& tokens,
                  const Json& annotations, const char* status) {
  const auto id = fmt::format("msg_{:016x}", random.next());
  const Json part = {{"type", "output_text"},
                     {"annotations", annotations},
                     {"logprobs", Json::array()},
                     {"text", joined(tokens)}};
  Item item;
  item.begun = {{"id", id},
                {"type", "message"},
                {"status", "in_progress"},
                {"content", Json::array()},
                {"role", "assistant"}};
  item.whole = item.begun;
  item.whole["status"] = status;
  item.whole["content"] = Json::array({part});
  const auto add = [&](const char* type, const Json& more) {
    Json event = {{"item_id", id}, {"content_index", 0}};
    event.update(more);
    item.events.emplace_back(type, std::move(event));
  };
  Json begun = part;
  begun["text"] = "";
  begun["annotations"] = Json::array();
  add("response.content_part.added", {{"part", begun}});
  for (const auto& token : tokens) {
    add("response.output_text.delta", {{"delta", token}, {"logprobs", Json::array()}});
  }
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    add("response.output_text.annotation.added",
        {{"annotation_index", i}, {"annotation", annotations[i]}});
  }
  add("response.output_text.done", {{"text", joined(tokens)}, {"logprobs", Json::array()}});
  add("response.content_part.done", {{"part", part}});
  return item;
}

bool is_search(const Json& tool) {
  const auto& type = mock_member(tool, "type");
  return type.is_string() && type.get<std::string>().starts_with("web_search");
}

const Json* demanded_function(const Json& request) {
  const auto& choice = mock_member(request, "tool_choice");
  const auto& wanted = mock_member(choice, "name");
  if (choice != "required" && !wanted.is_string()) return nullptr;
  for (const auto& tool : mock_member(request, "tools")) {
    if (mock_member(tool, "type") == "function" &&
        (wanted.is_null() || mock_member(tool, "name") == wanted)) {
      return &tool;
    }
  }
  return nullptr;
}

// The input where it is text, or the content of its last item.
std::string asked_text(const Json& input) {
  const auto& asked = input.is_array() ? mock_member(input.back(), "content") : input;
  if (asked.is_string()) return asked.get<std::string>();
  return "something";
}

std::string text_for(MockRandom& random, const Json& request) {
  const auto& format = mock_member(mock_member(request, "text"), "format");
  if (mock_member(format, "type") == "json_schema") {
    return mock_value(random, mock_member(format, "schema")).dump();
  }
  return mock_answer(random, Json(asked_text(request["input"])));
}

void add_message(Answer& answer, MockRandom& random, const Json& request) {
  auto tokens = mock_tokens(text_for(random, request));
  auto annotations = Json::array();
  if (std::ranges::any_of(mock_member(request, "tools"), is_search)) {
    answer.items.push_back(search_item(random, asked_text(request["input"])));
    annotations.push_back({{"type", "url_citation"},
                           {"start_index", 0},
                           {"end_index", 3},
                           {"title", "A page"},
                           {"url", "https://example.com/" + mock_word(random)}});
  }
  const auto& limit = mock_member(request, "max_output_tokens");
  if (limit.is_number_unsigned() && tokens.size() > limit.get<std::size_t>()) {
    tokens.resize(limit.get<std::size_t>());
    answer.is_cut = true;
  }
  answer.items.push_back(
      message_item(random, tokens, annotations, answer.is_cut ? "incomplete" : "completed"));
}

Answer answer_to(const MockRequest& request) {
  MockRandom random(request.digest.hash());
  Answer answer;
  if (mock_member(request.json, "reasoning").is_object()) {
    answer.items.push_back(reasoning_item(random));
  }
  if (const auto* tool = demanded_function(request.json)) {
    answer.items.push_back(function_item(random, *tool));
  } else {
    add_message(answer, random, request.json);
  }
  for (const auto& item : answer.items) answer.tokens += item.events.size();
  return answer;
}

// What the request says, or else what OpenAI says of a request that does not.
Json echo(const Json& request, const char* name, Json otherwise) {
  const auto found = request.find(name);
  return found == request.end() ? std::move(otherwise) : *found;
}

Json response_of(const MockRequest& request, const Answer& answer) {
  const auto& asked = request.json;
  Json output = Json::array();
  for (const auto& item : answer.items) output.push_back(item.whole);
  const auto input_tokens = asked["input"].dump().size() / 4 + 1;
  return {
      {"id", request.id("resp_")},
      {"object", "response"},
      {"created_at", request.created()},
      {"status", answer.is_cut ? "incomplete" : "completed"},
      {"error", nullptr},
      {"incomplete_details", answer.is_cut ? Json{{"reason", "max_output_tokens"}} : Json(nullptr)},
      {"instructions", echo(asked, "instructions", nullptr)},
      {"max_output_tokens", echo(asked, "max_output_tokens", nullptr)},
      {"model", request.model},
      {"output", std::move(output)},
      {"parallel_tool_calls", echo(asked, "parallel_tool_calls", true)},
      {"previous_response_id", echo(asked, "previous_response_id", nullptr)},
      {"store", echo(asked, "store", true)},
      {"temperature", echo(asked, "temperature", 1.0)},
      {"text", echo(asked, "text", {{"format", {{"type", "text"}}}})},
      {"tool_choice", echo(asked, "tool_choice", "auto")},
      {"tools", echo(asked, "tools", Json::array())},
      {"top_p", echo(asked, "top_p", 1.0)},
      {"usage",
       {{"input_tokens", input_tokens},
        {"input_tokens_details", {{"cached_tokens", 0}}},
        {"output_tokens", answer.tokens},
        {"output_tokens_details", {{"reasoning_tokens", 0}}},
        {"total_tokens", input_tokens + answer.tokens}}},
      {"user", echo(asked, "user", nullptr)},
      {"metadata", echo(asked, "metadata", Json::object())}};
}

class EventList {
 public:
  void add(const std::string& type, const Json& members) {
    Json event = {{"type", type}, {"sequence_number", events_.size()}};
    event.update(members);
    events_.push_back(fmt::format("event: {}\ndata: {}\n\n", type, event.dump()));
  }
  void add_item(std::size_t index, const Item& item) {
    add("response.output_item.added", {{"output_index", index}, {"item", item.begun}});
    for (const auto& [type, members] : item.events) {
      Json event = members;
      event["output_index"] = index;
      add(type, event);
    }
    add("response.output_item.done", {{"output_index", index}, {"item", item.whole}});
  }
  std::vector<std::string> take() && { return std::move(events_); }

 private:
  std::vector<std::string> events_;
};

std::vector<std::string> events(const Json& response, const Answer& answer) {
  Json begun = response;
  begun["status"] = "in_progress";
  begun["output"] = Json::array();
  begun["usage"] = nullptr;
  begun["incomplete_details"] = nullptr;
  EventList list;
  list.add("response.created", {{"response", begun}});
  list.add("response.in_progress", {{"response", begun}});
  for (std::size_t i = 0; i < answer.items.size(); ++i) list.add_item(i, answer.items[i]);
  list.add(answer.is_cut ? "response.incomplete" : "response.completed", {{"response", response}});
  return std::move(list).take();
}

}  // namespace

MockReply mock_responses(std::string_view request_body) {
  auto read = read_mock_request(MockApi::kOpenAi, request_body, {"stream", "stream_options"});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& request = std::get<MockRequest>(read);
  const auto& input = mock_member(request.json, "input");
  if (!input.is_string() && (!input.is_array() || input.empty())) {
    return mock_error(MockApi::kOpenAi, 400, "An input is required.", "input");
  }
  const auto answer = answer_to(request);
  const auto response = response_of(request, answer);
  auto reply = request.reply();
  reply.tokens = answer.tokens;
  if (reply.is_stream) {
    reply.pieces = events(response, answer);
  } else {
    reply.pieces = {response.dump()};
  }
  return reply;
}

}  // namespace llm_edge_cache::app
