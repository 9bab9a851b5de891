#include <cstdint>
#include <map>
#include <utility>

#include "proxy/chat_stream.hpp"
#include "proxy/event_blocks.hpp"

namespace llm_edge_cache::proxy {
namespace {

struct Choice {
  Json message = Json::object();
  Json others = Json::object();  // logprobs, content_filter_results, ..
  Json finish_reason;
};

class ChatAssembler {
 public:
  void add(std::string_view block) {
    const auto data = event_data(block);
    if (data.empty() || refusal_) {
      return;
    }
    if (is_done_) {
      refusal_ = StoreRefusal::kMalformed;
    } else if (data == kChatDone) {
      is_done_ = true;
    } else if (event_type(block) == "error") {
      refusal_ = StoreRefusal::kErrorInAnswer;
    } else {
      add_chunk(parse_answer_json(data));
    }
  }

  AssembledChat finish() && {
    if (!refusal_ && !is_done_) {
      refusal_ = StoreRefusal::kUnfinished;
    }
    if (!refusal_ && choices_.empty()) {
      refusal_ = StoreRefusal::kMalformed;
    }
    if (refusal_) {
      return {refusal_, {}};
    }
    body_["object"] = "chat.completion";
    Json& list = body_["choices"] = Json::array();
    for (auto& [index, choice] : choices_) {
      list.push_back(finished(index, std::move(choice)));
    }
    return {std::nullopt, std::move(body_)};
  }

 private:
  void add_chunk(const std::optional<Json>& chunk) {
    if (!chunk || !chunk->is_object()) {
      refusal_ = StoreRefusal::kMalformed;
      return;
    }
    for (const auto& [name, value] : chunk->items()) {
      if (name == "error" && !value.is_null()) {
        refusal_ = StoreRefusal::kErrorInAnswer;
      } else if (name == "choices" && value.is_array()) {
        body_.emplace("choices", nullptr);  // keeps its place among the members
        for (const auto& choice : value) {
          add_choice(choice);
        }
      } else if (name != "obfuscation" && !value.is_null()) {
        body_[name] = value;
      }
    }
  }

  void add_choice(const Json& part) {
    const Json& index = member_of(part, "index");
    const Json& delta = member_of(part, "delta");
    if (!index.is_number_integer() || !(delta.is_object() || delta.is_null())) {
      refusal_ = StoreRefusal::kMalformed;
      return;
    }
    Choice& choice = choices_[index.get<std::int64_t>()];
    merge_delta(choice.message, delta);
    for (const auto& [name, value] : part.items()) {
      if (name == "finish_reason") {
        if (!value.is_null()) {
          choice.finish_reason = value;
        }
      } else if (name == "logprobs") {
        merge_delta(choice.others[name], value);
      } else if (name != "index" && name != "delta") {
        choice.others[name] = value;
      }
    }
  }

  static Json finished(std::int64_t index, Choice choice) {
    const auto calls = choice.message.find("tool_calls");
    if (calls != choice.message.end() && calls->is_array()) {
      for (auto& call : *calls) {
        if (call.is_object()) {
          call.erase("index");  // a device of streams
        }
      }
    }
    if (!choice.message.contains("content")) {
      choice.message["content"] = nullptr;
    }
    Json result = {{"index", index}, {"message", std::move(choice.message)}};
    result.update(choice.others);
    result["finish_reason"] = std::move(choice.finish_reason);
    return result;
  }

  Json body_ = Json::object();
  std::map<std::int64_t, Choice> choices_;
  std::optional<StoreRefusal> refusal_;
  bool is_done_ = false;
};

}  // namespace

AssembledChat assemble_chat(std::string_view stream) {
  ChatAssembler assembler;
  for (const auto block : event_blocks(stream)) {
    assembler.add(block);
  }
  return std::move(assembler).finish();
}

std::string_view find_usage_chunk(std::string_view stream) {
  const auto blocks = event_blocks(stream);
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const auto data = event_data(*block);
    if (data.empty() || data == kChatDone) {
      continue;
    }
    const auto chunk = parse_answer_json(data);
    const bool is_usage = chunk && member_of(*chunk, "usage").is_object() &&
                          member_of(*chunk, "choices").is_array() &&
                          member_of(*chunk, "choices").empty();
    return is_usage ? *block : std::string_view{};
  }
  return {};
}

}  // namespace llm_edge_cache::proxy
