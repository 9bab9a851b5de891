#include <cstddef>
#include <utility>

#include "proxy/dialects/chat_stream.hpp"
#include "proxy/dialects/chunk_stream.hpp"
#include "proxy/dialects/delta_merge.hpp"
#include "proxy/dialects/text_pieces.hpp"

namespace llm_edge_cache::proxy {
namespace {

// The order in which a stream brings the members of a message. Bodies have them in any: vLLM's say
// last what the model thought first.
enum class Stage { kReasoning, kText, kCalls };

Stage stage_of(std::string_view name) {
  if (name == "reasoning" || name == "reasoning_content" || name == "reasoning_details" ||
      name == "thinking") {
    return Stage::kReasoning;
  }
  return name == "tool_calls" || name == "function_call" ? Stage::kCalls : Stage::kText;
}

class ChatSplitter {
 public:
  ChatSplitter(const Json& body, bool include_usage)
      : body_(body), writer_(body, "chat.completion.chunk", include_usage) {}

  std::string split() && {
    for (const auto& choice : member_of(body_, "choices")) {
      split_choice(choice);
    }
    return std::move(writer_).finish();
  }

 private:
  void split_choice(const Json& choice) {
    index_ = member_of(choice, "index");
    logprobs_ = member_of(choice, "logprobs");
    const Json& message = member_of(choice, "message");
    emit_delta(opening(message));
    for (const auto stage : {Stage::kReasoning, Stage::kText, Stage::kCalls}) {
      for (const auto& [name, value] : message.items()) {
        if (name != "role" && !value.is_null() && stage_of(name) == stage) {
          split_member(name, value);
        }
      }
    }
    finish_choice(choice);
  }

  void split_member(const std::string& name, const Json& value) {
    if (name == "tool_calls") {
      split_tool_calls(value);
    } else if (value.is_string() && is_growing_member(name)) {
      split_text(name, value);
    } else {
      emit_delta({{name, value}});
    }
  }

  // The first delta of a choice: the role, and what has no value at all.
  static Json opening(const Json& message) {
    Json delta = Json::object();
    for (const auto& [name, value] : message.items()) {
      if (name == "role" || value.is_null()) {
        delta[name] = value;
      } else if (name == "content" && value.is_string()) {
        delta[name] = "";
      }
    }
    return delta;
  }

  // Log probabilities belong to tokens, whose borders pieces would not keep: text that has them
  // goes in one piece.
  void split_text(const std::string& name, const Json& value) {
    const auto of_text = logprobs_.is_object() ? logprobs_.find(name) : logprobs_.end();
    if (of_text != logprobs_.end() && !of_text->is_null()) {
      emit_delta({{name, value}}, std::exchange(logprobs_, nullptr));
      return;
    }
    std::string_view rest = value.get_ref<const std::string&>();
    while (!rest.empty()) {
      emit_delta({{name, take_piece(rest)}});
    }
  }

  void split_tool_calls(const Json& calls) {
    std::size_t index = 0;
    for (const auto& call : calls) {
      split_tool_call(index++, call);
    }
  }

  // A function's arguments or a custom tool's input come in pieces.
  void split_tool_call(std::size_t index, const Json& call) {
    Json head = {{"index", index}};
    const bool is_custom = member_of(call, "custom").is_object();
    const std::string kind = is_custom ? "custom" : "function";
    const std::string grown = is_custom ? "input" : "arguments";
    std::string_view text;
    if (call.is_object()) {
      head.update(call);
      if (const Json& whole = member_of(member_of(call, kind), grown); whole.is_string()) {
        text = whole.get_ref<const std::string&>();
        head[kind][grown] = "";
      }
    }
    emit_delta({{"tool_calls", Json::array({std::move(head)})}});
    while (!text.empty()) {
      Json part = {{"index", index}, {kind, {{grown, take_piece(text)}}}};
      emit_delta({{"tool_calls", Json::array({std::move(part)})}});
    }
  }

  void finish_choice(const Json& choice) {
    Json last = {{"index", index_}, {"delta", Json::object()}, {"logprobs", std::move(logprobs_)}};
    for (const auto& [name, value] : choice.items()) {
      if (name != "index" && name != "message" && name != "logprobs") {
        last[name] = value;
      }
    }
    writer_.add(std::move(last));
  }

  void emit_delta(Json delta, Json logprobs = nullptr) {
    writer_.add({{"index", index_},
                 {"delta", std::move(delta)},
                 {"logprobs", std::move(logprobs)},
                 {"finish_reason", nullptr}});
  }

  const Json& body_;
  ChunkWriter writer_;
  Json index_;
  Json logprobs_;  // of the choice, until they are sent
};

}  // namespace

std::string split_chat(const Json& body, bool include_usage) {
  return ChatSplitter(body, include_usage).split();
}

Json streamed_chat_part(Json body) {
  for (auto& choice : body["choices"]) {
    choice.emplace("logprobs", nullptr);
    choice["message"].emplace("content", nullptr);
  }
  return body;
}

}  // namespace llm_edge_cache::proxy
