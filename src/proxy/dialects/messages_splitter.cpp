#include <cstddef>
#include <utility>

#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/messages_stream.hpp"
#include "proxy/dialects/text_pieces.hpp"

namespace llm_edge_cache::proxy {
namespace {

class MessageSplitter {
 public:
  explicit MessageSplitter(const Json& body) : body_(body) {}

  std::optional<std::string> split() && {
    start_message();
    for (const auto& block : member_of(body_, "content")) {
      const auto growth = growth_of_block(text_of(member_of(block, "type")));
      if (!growth) {
        return std::nullopt;
      }
      split_block(block, *growth);
      ++index_;
    }
    end_message();
    return std::move(out_);
  }

 private:
  // What is known of a message only at its end is not said at its start.
  void start_message() {
    Json message = body_;
    message["content"] = Json::array();
    for (const auto* name : kKnownAtEnd) {
      if (message.contains(name)) {
        message[name] = nullptr;
      }
    }
    if (message.contains(kContextManagement)) {
      message[kContextManagement] = nullptr;
    }
    if (!member_of(member_of(body_, "usage"), "output_tokens").is_null()) {
      message["usage"]["output_tokens"] = 0;
    }
    emit({{"type", "message_start"}, {"message", std::move(message)}});
    emit({{"type", "ping"}});
  }

  void end_message() {
    Json delta = Json::object();
    for (const auto* name : kKnownAtEnd) {
      if (body_.contains(name)) {
        delta[name] = member_of(body_, name);
      }
    }
    Json event = {{"type", "message_delta"}, {"delta", std::move(delta)}};
    Json& usage = event["usage"] = Json::object();
    for (const auto* name :
         {"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
          "output_tokens_details", "server_tool_use"}) {
      if (const Json& count = member_of(member_of(body_, "usage"), name); !count.is_null()) {
        usage[name] = count;
      }
    }
    if (body_.contains(kContextManagement)) {
      event[kContextManagement] = member_of(body_, kContextManagement);
    }
    emit(event);
    emit({{"type", "message_stop"}});
  }

  void split_block(const Json& block, BlockGrowth growth) {
    Json start = block;
    switch (growth) {
      case BlockGrowth::kText:
        start["text"] = "";
        if (member_of(block, "citations").is_array()) {
          start["citations"] = Json::array();
        }
        break;
      case BlockGrowth::kThinking:
        start["thinking"] = "";
        if (block.contains("signature")) {
          start["signature"] = "";
        }
        break;
      case BlockGrowth::kInput:
        start["input"] = Json::object();
        break;
      case BlockGrowth::kWhole:
        break;
    }
    emit({{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(start)}});
    emit_deltas(block, growth);
    emit({{"type", "content_block_stop"}, {"index", index_}});
  }

  void emit_deltas(const Json& block, BlockGrowth growth) {
    switch (growth) {
      case BlockGrowth::kText:
        emit_pieces("text_delta", "text", text_of(member_of(block, "text")));
        for (const auto& citation : member_of(block, "citations")) {
          emit_delta({{"type", "citations_delta"}, {"citation", citation}});
        }
        break;
      case BlockGrowth::kThinking:
        emit_pieces("thinking_delta", "thinking", text_of(member_of(block, "thinking")));
        if (const auto signature = text_of(member_of(block, "signature")); !signature.empty()) {
          emit_delta({{"type", "signature_delta"}, {"signature", signature}});
        }
        break;
      case BlockGrowth::kInput:
        emit_delta({{"type", "input_json_delta"}, {"partial_json", ""}});
        if (const Json& input = member_of(block, "input"); input != Json::object()) {
          emit_pieces("input_json_delta", "partial_json", input.dump());
        }
        break;
      case BlockGrowth::kWhole:
        break;
    }
  }

  void emit_pieces(const char* type, const char* name, std::string_view text) {
    while (!text.empty()) {
      emit_delta({{"type", type}, {name, take_piece(text)}});
    }
  }

  void emit_delta(Json delta) {
    emit({{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
  }

  void emit(const Json& event) { append_event(out_, text_of(event["type"]), event.dump()); }

  const Json& body_;
  std::size_t index_ = 0;
  std::string out_;
};

}  // namespace

std::optional<std::string> split_message(const Json& body) {
  return MessageSplitter(body).split();
}

}  // namespace llm_edge_cache::proxy
