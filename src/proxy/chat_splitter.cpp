#include <cstddef>
#include <utility>

#include "proxy/chat_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Pieces of text end after a white space where one comes in time, and never within a character.
constexpr std::size_t kPieceMinBytes = 48;
constexpr std::size_t kPieceMaxBytes = 96;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string_view take_piece(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && end < kPieceMaxBytes &&
         !(end >= kPieceMinBytes && text[end - 1] == ' ')) {
    ++end;
  }
  while (end < text.size() && continues_character(text[end])) {
    ++end;
  }
  const auto piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

class ChatSplitter {
 public:
  ChatSplitter(const Json& body, bool include_usage)
      : body_(body), include_usage_(include_usage), frame_(Json::object()) {
    for (const auto& [name, value] : body.items()) {
      if (name != "usage" && name != "choices") {
        frame_[name] = value;
      }
    }
    frame_["object"] = "chat.completion.chunk";
    frame_["choices"] = Json::array();
    if (include_usage) {
      frame_["usage"] = nullptr;  // OpenAI's way: every chunk but the last says so
    }
  }

  std::string split() && {
    for (const auto& choice : member_of(body_, "choices")) {
      split_choice(choice);
    }
    if (include_usage_) {
      frame_["choices"] = Json::array();
      frame_["usage"] = member_of(body_, "usage");
      emit_frame();
    }
    out_.append("data: ").append(kChatDone).append("\n\n");
    return std::move(out_);
  }

 private:
  void split_choice(const Json& choice) {
    index_ = member_of(choice, "index");
    const Json& message = member_of(choice, "message");
    emit_delta(opening(message));
    for (const auto& [name, value] : message.items()) {
      if (name == "role" || value.is_null()) {
        continue;
      }
      if (name == "tool_calls") {
        split_tool_calls(value);
      } else if (name == "content" || name == "refusal") {
        split_text(name, value, member_of(choice, "logprobs"));
      } else if (value.is_string()) {
        split_text(name, value, {});
      } else {
        emit_delta({{name, value}});
      }
    }
    finish_choice(choice);
  }

  // The first delta of a choice: the role, and what has no value at all.
  static Json opening(const Json& message) {
    Json delta = Json::object();
    for (const auto& [name, value] : message.items()) {
      if (name == "role" || value.is_null()) {
        delta[name] = value;
      } else if (name == "content") {
        delta[name] = "";
      }
    }
    return delta;
  }

  // Log probabilities belong to tokens, whose borders pieces would not keep: text that has them
  // goes in one piece.
  void split_text(const std::string& name, const Json& value, const Json& logprobs) {
    if (!value.is_string()) {
      emit_delta({{name, value}});
      return;
    }
    const Json& of_text = member_of(logprobs, name);
    if (!of_text.is_null()) {
      emit_delta({{name, value}}, {{name, of_text}});
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
      Json head = {{"index", index}};
      std::string_view arguments;
      if (call.is_object()) {
        head.update(call);
        const Json& text = member_of(member_of(call, "function"), "arguments");
        if (text.is_string()) {
          arguments = text.get_ref<const std::string&>();
          head["function"]["arguments"] = "";
        }
      }
      emit_delta({{"tool_calls", Json::array({std::move(head)})}});
      while (!arguments.empty()) {
        Json part = {{"index", index}, {"function", {{"arguments", take_piece(arguments)}}}};
        emit_delta({{"tool_calls", Json::array({std::move(part)})}});
      }
      ++index;
    }
  }

  void finish_choice(const Json& choice) {
    Json last = {{"index", index_}, {"delta", Json::object()}};
    for (const auto& [name, value] : choice.items()) {
      if (name != "index" && name != "message" && name != "logprobs") {
        last[name] = value;
      }
    }
    emit_choice(std::move(last));
  }

  void emit_delta(Json delta, Json logprobs = nullptr) {
    emit_choice({{"index", index_},
                 {"delta", std::move(delta)},
                 {"logprobs", std::move(logprobs)},
                 {"finish_reason", nullptr}});
  }

  void emit_choice(Json choice) {
    frame_["choices"] = Json::array({std::move(choice)});
    emit_frame();
  }

  void emit_frame() { out_.append("data: ").append(frame_.dump()).append("\n\n"); }

  const Json& body_;
  const bool include_usage_;
  Json frame_;
  Json index_;
  std::string out_;
};

}  // namespace

std::string split_chat(const Json& body, bool include_usage) {
  return ChatSplitter(body, include_usage).split();
}

}  // namespace llm_edge_cache::proxy
