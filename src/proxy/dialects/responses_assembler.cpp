#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/responses_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

// What follows "response." in the types of the events that only tell how the response came about.
constexpr std::array<std::string_view, 36> kKnownEvents = {
    "created",
    "in_progress",
    "queued",
    "output_item.added",
    "content_part.added",
    "content_part.done",
    "output_text.delta",
    "output_text.done",
    "output_text.annotation.added",
    "refusal.delta",
    "refusal.done",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "custom_tool_call_input.delta",
    "custom_tool_call_input.done",
    "reasoning_summary_part.added",
    "reasoning_summary_part.done",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_text.delta",
    "reasoning_text.done",
    "web_search_call.in_progress",
    "web_search_call.searching",
    "web_search_call.completed",
    "file_search_call.in_progress",
    "file_search_call.searching",
    "file_search_call.completed",
    "image_generation_call.in_progress",
    "image_generation_call.generating",
    "image_generation_call.partial_image",
    "image_generation_call.completed",
    "code_interpreter_call.in_progress",
    "code_interpreter_call.interpreting",
    "code_interpreter_call.completed",
    "code_interpreter_call_code.delta",
    "code_interpreter_call_code.done",
};

// Sent while a model thinks for long. Compatible servers call it a ping.
bool is_sign_of_life(std::string_view type) {
  return type == "keepalive" || type == "ping";
}

bool is_known(std::string_view type) {
  constexpr std::string_view kPrefix = "response.";
  return type.starts_with(kPrefix) && std::find(kKnownEvents.begin(), kKnownEvents.end(),
                                                type.substr(kPrefix.size())) != kKnownEvents.end();
}

class ResponseAssembler {
 public:
  void add(std::string_view block) {
    const auto data = event_data(block);
    if (data.empty() || refusal_) {
      return;
    }
    if (is_complete_) {
      // Compatible servers end every stream so.
      refusal_ = data == "[DONE]" ? refusal_ : StoreRefusal::kMalformed;
      return;
    }
    const auto event = parse_answer_json(data);
    const auto type = event ? text_of(member_of(*event, "type")) : std::string();
    const auto named = event_type(block);
    // Some readers go by the name of the event, some by its data.
    expect(named.empty() || named == type);
    if (type == "error" || type == "response.failed" || named == "error") {
      refusal_ = StoreRefusal::kErrorInAnswer;
    } else if (type.empty()) {
      refusal_ = StoreRefusal::kMalformed;
    } else if (type == "response.incomplete") {
      refusal_ = StoreRefusal::kFinishReason;
    } else if (type == "response.completed") {
      complete(*event);
    } else if (type == "response.output_item.done") {
      items_.push_back(member_of(*event, "item"));
      expect(member_of(*event, "output_index") == items_.size() - 1);
    } else {
      expect(is_known(type) || is_sign_of_life(type));
    }
  }

  Assembled finish() && {
    if (!refusal_ && !is_complete_) {
      refusal_ = StoreRefusal::kUnfinished;
    }
    if (refusal_) {
      return not_assembled(*refusal_);
    }
    return {.refusal = std::nullopt, .is_exact = is_exact_, .body = std::move(response_)};
  }

 private:
  void expect(bool holds) { is_exact_ = is_exact_ && holds; }

  void complete(const Json& event) {
    is_complete_ = true;
    response_ = member_of(event, "response");
    expect(has_only(event, {"type", "sequence_number", "response"}) &&
           says_the_same(member_of(response_, "output"), items_));
  }

  Json response_;
  Json items_ = Json::array();
  std::optional<StoreRefusal> refusal_;
  bool is_complete_ = false;
  bool is_exact_ = true;
};

}  // namespace

Assembled assemble_response(std::string_view stream) {
  ResponseAssembler assembler;
  for (const auto block : event_blocks(stream)) {
    assembler.add(block);
  }
  return std::move(assembler).finish();
}

}  // namespace llm_edge_cache::proxy
