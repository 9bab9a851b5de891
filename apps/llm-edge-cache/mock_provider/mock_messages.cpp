#include "mock_provider/mock_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace llm_edge_cache::app {

namespace {

// A block of content and how it comes in a stream.
struct Block {
  Json start;                // content_block_start
  std::vector<Json> deltas;  // in order
  Json whole;                // in a body
};

Block text_block(const std::vector<std::string>& tokens, const Json& citation = nullptr) {
  Block block{.start = {{"type", "text"}, {"text", ""}}, .deltas = {}, .whole = {}};
  std::string text;
  for (const auto& token : tokens) {
    block.deltas.push_back({{"type", "text_delta"}, {"text", token}});
    text += token;
  }
  block.whole = {{"type", "text"}, {"text", text}};
  if (!citation.is_null()) {
    block.start["citations"] = Json::array();
    block.deltas.push_back({{"type", "citations_delta"}, {"citation", citation}});
    block.whole["citations"] = Json::array({citation});
  }
  return block;
}

Block thinking_block(MockRandom& random) {
  const auto tokens = mock_tokens(mock_sentence(random, 12));
  const auto signature = fmt::format("sig{:016x}{:016x}==", random.next(), random.next());
  Block block{.start = {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}},
              .deltas = {},
              .whole = {}};
  std::string text;
  for (const auto& token : tokens) {
    block.deltas.push_back({{"type", "thinking_delta"}, {"thinking", token}});
    text += token;
  }
  block.deltas.push_back({{"type", "signature_delta"}, {"signature", signature}});
  block.whole = {{"type", "thinking"}, {"thinking", text}, {"signature", signature}};
  return block;
}

Block whole_block(Json block) {
  return {.start = block, .deltas = {}, .whole = block};
}

Block tool_block(const char* type, std::string id, const Json& name, const Json& input) {
  Block block;
  block.start = {{"type", type}, {"id", id}, {"name", name}, {"input", Json::object()}};
  block.deltas.push_back({{"type", "input_json_delta"}, {"partial_json", ""}});
  for (const auto& token : mock_tokens(input.dump())) {
    block.deltas.push_back({{"type", "input_json_delta"}, {"partial_json", token}});
  }
  block.whole = {{"type", type}, {"id", std::move(id)}, {"name", name}, {"input", input}};
  return block;
}

void add_search(std::vector<Block>& blocks, MockRandom& random, const std::string& asked) {
  const auto id = fmt::format("srvtoolu_{:016x}", random.next());
  const std::string url = "https://example.com/" + mock_word(random);
  blocks.push_back(tool_block("server_tool_use", id, "web_search", {{"query", asked}}));
  blocks.push_back(whole_block({{"type", "web_search_tool_result"},
                                {"tool_use_id", id},
                                {"content", Json::array({{{"type", "web_search_result"},
                                                          {"title", "A page"},
                                                          {"url", url},
                                                          {"encrypted_content", "bW9jaw=="},
                                                          {"page_age", nullptr}}})}}));
  blocks.push_back(
      text_block(mock_tokens(mock_sentence(random, 6)), {{"type", "web_search_result_location"},
                                                         {"cited_text", mock_sentence(random, 4)},
                                                         {"url", url},
                                                         {"title", "A page"},
                                                         {"encrypted_index", "bW9jaw=="}}));
}

// The tool that tool_choice demands: the one it names, or the first.
const Json* demanded_tool(const Json& request) {
  const auto& choice = mock_member(request, "tool_choice");
  const auto& type = mock_member(choice, "type");
  if (type != "any" && type != "tool") return nullptr;
  for (const auto& tool : mock_member(request, "tools")) {
    const auto& name = mock_member(tool, "name");
    if (type == "any" || name == mock_member(choice, "name")) return &tool;
  }
  return nullptr;
}

bool can_search(const Json& request) {
  const auto& tools = mock_member(request, "tools");
  return std::ranges::any_of(tools, [](const Json& tool) {
    const auto& type = mock_member(tool, "type");
    return type.is_string() && type.get<std::string>().starts_with("web_search");
  });
}

// The text of the last message: its own, or that of its first block of text.
std::string asked_text(const Json& request) {
  const auto& content = mock_member(request["messages"].back(), "content");
  if (content.is_string()) return content.get<std::string>();
  for (const auto& block : content) {
    if (const auto& text = mock_member(block, "text"); text.is_string()) {
      return text.get<std::string>();
    }
  }
  return "something";
}

std::string text_for(MockRandom& random, const Json& request) {
  const auto& format = mock_member(mock_member(request, "output_config"), "format");
  if (mock_member(format, "type") == "json_schema") {
    return mock_value(random, mock_member(format, "schema")).dump();
  }
  return mock_answer(random, asked_text(request));
}

struct Answer {
  std::vector<Block> blocks;
  std::string stop_reason = "end_turn";
  std::size_t tokens = 0;
};

Answer answer_to(const MockRequest& request) {
  const auto& json = request.json;
  MockRandom random(request.digest.hash());
  Answer answer;
  if (mock_member(mock_member(json, "thinking"), "type") == "enabled") {
    answer.blocks.push_back(thinking_block(random));
  }
  if (request.model == "mock-redacted") {
    answer.blocks.push_back(whole_block({{"type", "redacted_thinking"}, {"data", "bW9jaw=="}}));
  }
  if (const auto* tool = demanded_tool(json)) {
    auto input = mock_value(random, mock_member(*tool, "input_schema"));
    answer.blocks.push_back(tool_block("tool_use", fmt::format("toolu_{:016x}", random.next()),
                                       mock_member(*tool, "name"),
                                       input.is_object() ? input : Json::object()));
    answer.stop_reason = "tool_use";
  } else if (can_search(json)) {
    add_search(answer.blocks, random, asked_text(json));
  } else {
    auto tokens = mock_tokens(text_for(random, json));
    if (const auto limit = json["max_tokens"].get<std::uint64_t>(); tokens.size() > limit) {
      tokens.resize(limit);
      answer.stop_reason = "max_tokens";
    }
    answer.blocks.push_back(text_block(tokens));
  }
  for (const auto& block : answer.blocks) answer.tokens += block.deltas.size();
  return answer;
}

Json message_of(const MockRequest& request, const Answer& answer) {
  Json content = Json::array();
  for (const auto& block : answer.blocks) content.push_back(block.whole);
  return {{"id", request.id("msg_")},
          {"type", "message"},
          {"role", "assistant"},
          {"model", request.model},
          {"content", std::move(content)},
          {"stop_reason", answer.stop_reason},
          {"stop_sequence", nullptr},
          {"usage",
           {{"input_tokens", request.json["messages"].dump().size() / 4 + 1},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", 0},
            {"output_tokens", answer.tokens},
            {"service_tier", "standard"}}}};
}

std::vector<std::string> events(Json message, const Answer& answer) {
  std::vector<std::string> events;
  const auto add = [&](const Json& event) {
    events.push_back(
        fmt::format("event: {}\ndata: {}\n\n", event["type"].get<std::string>(), event.dump()));
  };
  message["content"] = Json::array();
  message["stop_reason"] = nullptr;
  message["usage"]["output_tokens"] = 1;
  add({{"type", "message_start"}, {"message", std::move(message)}});
  for (std::size_t i = 0; i < answer.blocks.size(); ++i) {
    const auto& block = answer.blocks[i];
    add({{"type", "content_block_start"}, {"index", i}, {"content_block", block.start}});
    if (i == 0) add({{"type", "ping"}});
    for (const auto& delta : block.deltas) {
      add({{"type", "content_block_delta"}, {"index", i}, {"delta", delta}});
    }
    add({{"type", "content_block_stop"}, {"index", i}});
  }
  add({{"type", "message_delta"},
       {"delta", {{"stop_reason", answer.stop_reason}, {"stop_sequence", nullptr}}},
       {"usage", {{"output_tokens", answer.tokens}}}});
  add({{"type", "message_stop"}});
  return events;
}

std::optional<MockReply> find_message_fault(const Json& request) {
  const auto& messages = mock_member(request, "messages");
  if (!messages.is_array() || messages.empty() ||
      !std::ranges::all_of(messages, [](const Json& message) { return message.is_object(); })) {
    return mock_error(MockApi::kAnthropic, 400, "messages: a list of messages is required");
  }
  return std::nullopt;
}

}  // namespace

MockReply mock_messages(std::string_view request_body) {
  auto read = read_mock_request(MockApi::kAnthropic, request_body, {"stream", "metadata"});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& request = std::get<MockRequest>(read);
  if (auto fault = find_message_fault(request.json)) return *std::move(fault);
  if (!mock_member(request.json, "max_tokens").is_number_unsigned()) {
    return mock_error(MockApi::kAnthropic, 400, "max_tokens: Field required");
  }
  const auto answer = answer_to(request);
  auto message = message_of(request, answer);
  auto reply = request.reply();
  reply.tokens = answer.tokens;
  if (reply.is_stream) {
    reply.pieces = events(std::move(message), answer);
  } else {
    reply.pieces = {message.dump()};
  }
  return reply;
}

MockReply mock_count_tokens(std::string_view request_body) {
  auto read = read_mock_request(MockApi::kAnthropic, request_body, {});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& request = std::get<MockRequest>(read);
  if (auto fault = find_message_fault(request.json)) return *std::move(fault);
  MockReply reply;
  reply.digest = request.digest.hash();
  reply.pieces = {Json{{"input_tokens", request.json["messages"].dump().size() / 4 + 1}}.dump()};
  return reply;
}

}  // namespace llm_edge_cache::app
