#include <utility>

#include "proxy/dialects/chat_stream.hpp"
#include "proxy/dialects/chunk_stream.hpp"
#include "proxy/dialects/delta_merge.hpp"

namespace llm_edge_cache::proxy {
namespace {

class ChatAssembler final : public ChunkAssembler {
 public:
  ChatAssembler() : ChunkAssembler("chat.completion") {}

 protected:
  Added add_part(Json& choice, const Json& part) override {
    const Json& delta = member_of(part, "delta");
    if (!(delta.is_object() || delta.is_null())) {
      return Added::kNot;
    }
    bool is_exact = true;
    for (const auto& [name, value] : part.items()) {
      if (name == "delta") {
        Json& message = choice["message"];
        message = message.is_null() ? Json::object() : std::move(message);
        is_exact = merge_delta(message, value) && is_exact;
      } else if (name == "logprobs") {
        is_exact = append_logprobs(choice[name], value) && is_exact;
      } else if (name == "message") {
        is_exact = value.is_null() && is_exact;  // a body has it, and we build it
      } else if (name != "index") {
        is_exact = merge_repeated(choice, name, value) && is_exact;
      }
    }
    return is_exact ? Added::kExactly : Added::kByGuess;
  }

  Json finish_choice(Json choice) override {
    Json& message = choice["message"];
    message = message.is_null() ? Json::object() : std::move(message);
    if (!message.contains("role")) {
      note_guess();
    }
    if (const auto calls = message.find("tool_calls"); calls != message.end()) {
      for (auto& call : *calls) {
        if (call.is_object()) {
          call.erase("index");  // a device of streams
        }
      }
    }
    if (!message.contains("content")) {
      message["content"] = nullptr;
    }
    return choice;
  }
};

}  // namespace

Assembled assemble_chat(std::string_view stream) {
  return ChatAssembler().assemble(stream);
}

}  // namespace llm_edge_cache::proxy
