#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/messages_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

struct BlockType {
  std::string_view name;
  BlockGrowth growth;
};
constexpr std::array<BlockType, 14> kBlockTypes = {{
    {"text", BlockGrowth::kText},
    {"thinking", BlockGrowth::kThinking},
    {"redacted_thinking", BlockGrowth::kWhole},
    {"tool_use", BlockGrowth::kInput},
    {"server_tool_use", BlockGrowth::kInput},
    {"mcp_tool_use", BlockGrowth::kInput},
    {"mcp_tool_result", BlockGrowth::kWhole},
    {"web_search_tool_result", BlockGrowth::kWhole},
    {"web_fetch_tool_result", BlockGrowth::kWhole},
    {"code_execution_tool_result", BlockGrowth::kWhole},
    {"bash_code_execution_tool_result", BlockGrowth::kWhole},
    {"text_editor_code_execution_tool_result", BlockGrowth::kWhole},
    {"tool_search_tool_result", BlockGrowth::kWhole},
    {"container_upload", BlockGrowth::kWhole},
}};

class MessageAssembler {
 public:
  void add(std::string_view block) {
    const auto data = event_data(block);
    if (data.empty() || refusal_) {
      return;
    }
    const auto event = parse_answer_json(data);
    const auto type = event ? text_of(member_of(*event, "type")) : std::string();
    const auto named = event_type(block);
    // Some readers go by the name of the event, some by its data.
    expect(named.empty() || named == type);
    if (type == "error" || named == "error") {
      refusal_ = StoreRefusal::kErrorInAnswer;
    } else if (type.empty()) {
      refuse();
    } else if (type != "ping") {
      add_event(type, *event);
    }
  }

  Assembled finish() && {
    if (!refusal_ && !is_stopped_) {
      refusal_ = StoreRefusal::kUnfinished;
    }
    if (refusal_) {
      return not_assembled(*refusal_);
    }
    return {.refusal = std::nullopt, .is_exact = is_exact_, .body = std::move(message_)};
  }

 private:
  void refuse() { refusal_ = StoreRefusal::kMalformed; }
  void expect(bool holds) { is_exact_ = is_exact_ && holds; }

  void add_event(std::string_view type, const Json& event) {
    if (is_stopped_ || (type == "message_start") != message_.is_null()) {
      refuse();
    } else if (type == "message_start") {
      start_message(event);
    } else if (type == "content_block_start") {
      start_block(event);
    } else if (type == "content_block_delta") {
      add_delta(event);
    } else if (type == "content_block_stop") {
      stop_block(event);
    } else if (type == "message_delta") {
      change_message(event);
    } else if (type == "message_stop") {
      expect(has_only(event, {"type"}));
      is_stopped_ = open_ == nullptr;
    } else {
      is_exact_ = false;  // an event that we do not know
    }
  }

  void start_message(const Json& event) {
    const Json& message = member_of(event, "message");
    if (!message.is_object()) {
      refuse();
      return;
    }
    expect(has_only(event, {"type", "message"}));
    message_ = message;
    reset("content", Json::array());
    if (!member_of(message_, "usage").is_object()) {
      reset("usage", Json::object());
    }
  }

  // The start of a message has nothing yet where this is put.
  void reset(const char* name, Json empty) {
    Json& value = message_[name];
    expect(value.is_null() || value == empty);
    value = std::move(empty);
  }

  [[nodiscard]] Json& content() { return message_["content"]; }

  void start_block(const Json& event) {
    const Json& block = member_of(event, "content_block");
    if (open_ != nullptr || !block.is_object() || member_of(event, "index") != content().size()) {
      refuse();
      return;
    }
    expect(has_only(event, {"type", "index", "content_block"}));
    content().push_back(block);
    open_ = &content().back();
    growth_ = growth_of_block(text_of(member_of(block, "type")));
    expect(growth_.has_value());
    input_.clear();
  }

  [[nodiscard]] bool is_for_open_block(const Json& event) {
    return open_ != nullptr && member_of(event, "index") == content().size() - 1;
  }

  void add_delta(const Json& event) {
    const Json& delta = member_of(event, "delta");
    if (!is_for_open_block(event) || !delta.is_object()) {
      refuse();
      return;
    }
    expect(has_only(event, {"type", "index", "delta"}));
    const auto type = text_of(member_of(delta, "type"));
    if (type == "text_delta") {
      append(BlockGrowth::kText, delta, "text");
    } else if (type == "thinking_delta") {
      append(BlockGrowth::kThinking, delta, "thinking");
    } else if (type == "signature_delta") {
      expect(text_of(member_of(*open_, "signature")).empty());  // comes once and whole
      append(BlockGrowth::kThinking, delta, "signature");
    } else if (type == "citations_delta") {
      add_citation(delta);
    } else if (type == "input_json_delta") {
      expect(growth_ == BlockGrowth::kInput && has_only(delta, {"type", "partial_json"}));
      input_ += text_of(member_of(delta, "partial_json"));
    } else {
      is_exact_ = false;
      take_summary(delta);
    }
  }

  // Only for the judge: of a compaction that failed, no delta says anything.
  void take_summary(const Json& delta) {
    const Json& content = member_of(delta, "content");
    if (member_of(delta, "type") == "compaction_delta" && !content.is_null() &&
        member_of(*open_, "type") == "compaction") {
      (*open_)["content"] = content;
    }
  }

  void append(BlockGrowth growth, const Json& delta, const char* name) {
    const Json& more = member_of(delta, name);
    expect(growth_ == growth && more.is_string() && has_only(delta, {"type", name}));
    Json& text = (*open_)[name];
    text = text_of(text) + text_of(more);
  }

  void add_citation(const Json& delta) {
    expect(growth_ == BlockGrowth::kText && has_only(delta, {"type", "citation"}));
    Json& citations = (*open_)["citations"];
    if (!citations.is_array()) {
      citations = Json::array();
    }
    citations.push_back(member_of(delta, "citation"));
  }

  void stop_block(const Json& event) {
    if (!is_for_open_block(event)) {
      refuse();
      return;
    }
    expect(has_only(event, {"type", "index"}));
    if (!is_tool_input(input_)) {
      refuse();
    } else if (!input_.empty()) {
      const auto input = parse_answer_json(input_);
      expect(input.has_value() && member_of(*open_, "input") == Json::object());
      (*open_)["input"] = input.value_or(Json::object());
    }
    open_ = nullptr;
  }

  // Counts in a message_delta are totals: they replace those of the start.
  void change_message(const Json& event) {
    const Json& delta = member_of(event, "delta");
    expect(has_only(event,
                    {"type", "delta", "usage", "context_management", "input_transformations"}) &&
           has_only(delta, {"stop_reason", "stop_sequence", "container", "stop_details"}));
    // Nothing else: another member may be one that we build.
    take_from(delta, kKnownAtEnd);
    take_from(event, kBesideDelta);
    add_usage(member_of(event, "usage"));
  }

  void take_from(const Json& part, std::span<const char* const> names) {
    for (const auto* name : names) {
      if (part.contains(name)) {
        message_[name] = member_of(part, name);
      }
    }
  }

  void add_usage(const Json& more) {
    if (!more.is_object()) {
      expect(more.is_null());
      return;
    }
    Json& usage = message_["usage"];
    for (const auto& [name, value] : more.items()) {
      if (!value.is_null() || !usage.contains(name)) {
        usage[name] = value;
      }
    }
  }

  Json message_;
  Json* open_ = nullptr;  // the block that grows: the last of the content
  std::optional<BlockGrowth> growth_;
  std::string input_;
  std::optional<StoreRefusal> refusal_;
  bool is_stopped_ = false;
  bool is_exact_ = true;
};

}  // namespace

std::optional<BlockGrowth> growth_of_block(std::string_view type) {
  const auto* const found =
      std::find_if(kBlockTypes.begin(), kBlockTypes.end(),
                   [type](const BlockType& known) { return known.name == type; });
  return found == kBlockTypes.end() ? std::nullopt : std::optional(found->growth);
}

Assembled assemble_message(std::string_view stream) {
  MessageAssembler assembler;
  for (const auto block : event_blocks(stream)) {
    assembler.add(block);
  }
  return std::move(assembler).finish();
}

}  // namespace llm_edge_cache::proxy
