#include <cstddef>
#include <cstdint>
#include <utility>

#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/responses_stream.hpp"
#include "proxy/dialects/text_pieces.hpp"

namespace llm_edge_cache::proxy {
namespace {

class ResponseSplitter {
 public:
  explicit ResponseSplitter(const Json& body) : body_(body) {}

  std::optional<std::string> split() && {
    const auto begun = begun_response();
    emit("response.created", {{"response", begun}});
    emit("response.in_progress", {{"response", begun}});
    for (const auto& item : member_of(body_, "output")) {
      place_ = {{"item_id", member_of(item, "id")}, {"output_index", output_index_}};
      if (!split_item(item)) {
        return std::nullopt;
      }
      ++output_index_;
    }
    emit("response.completed", {{"response", body_}});
    return std::move(out_);
  }

 private:
  // The response as it was before anything was said.
  [[nodiscard]] Json begun_response() const {
    Json begun = body_;
    begun["status"] = "in_progress";
    begun["output"] = Json::array();
    for (const auto* name : {"usage", "completed_at"}) {
      if (begun.contains(name)) {
        begun[name] = nullptr;
      }
    }
    return begun;
  }

  bool split_item(const Json& item) {
    const auto type = text_of(member_of(item, "type"));
    if (type == "message") {
      return add_item(item, "content", Json::array()) && split_parts(item, "content") &&
             end_item(item);
    }
    if (type == "reasoning") {
      return split_reasoning(item);
    }
    if (type == "function_call") {
      return split_input(item, "arguments", "response.function_call_arguments");
    }
    if (type == "custom_tool_call") {
      return split_input(item, "input", "response.custom_tool_call_input");
    }
    if (type == "web_search_call") {
      return split_web_search(item);
    }
    return false;
  }

  // The item as it was before `name` grew.
  bool add_item(const Json& item, const char* name, Json empty) {
    Json begun = item;
    if (begun.contains(name)) {
      begun[name] = std::move(empty);
    }
    if (begun.contains("status")) {
      begun["status"] = "in_progress";
    }
    emit("response.output_item.added",
         {{"output_index", output_index_}, {"item", std::move(begun)}});
    return true;
  }
  bool end_item(const Json& item) {
    emit("response.output_item.done", {{"output_index", output_index_}, {"item", item}});
    return true;
  }

  bool split_input(const Json& item, const char* name, const std::string& event) {
    const Json& input = member_of(item, name);
    if (!input.is_string()) {
      return false;
    }
    add_item(item, name, "");
    emit_pieces(event + ".delta", place_, input.get_ref<const std::string&>());
    Json done = place_;
    done[name] = input;
    if (const Json& tool = member_of(item, "name"); name == std::string_view("arguments")) {
      done["name"] = tool;
    }
    emit(event + ".done", done);
    return end_item(item);
  }

  bool split_web_search(const Json& item) {
    add_item(item, "status", "in_progress");
    for (const auto* step : {"in_progress", "searching", "completed"}) {
      emit(std::string("response.web_search_call.") + step, place_);
    }
    return end_item(item);
  }

  bool split_reasoning(const Json& item) {
    Json begun = item;
    for (const auto* name : {"summary", "content"}) {
      if (member_of(begun, name).is_array()) {
        begun[name] = Json::array();
      }
    }
    add_item(begun, "summary", Json::array());
    std::size_t index = 0;
    for (const auto& part : member_of(item, "summary")) {
      if (!split_summary(part, index++)) {
        return false;
      }
    }
    return split_parts(item, "content") && end_item(item);
  }

  bool split_summary(const Json& part, std::size_t index) {
    const Json& text = member_of(part, "text");
    if (member_of(part, "type") != "summary_text" || !text.is_string()) {
      return false;
    }
    Json at = place_;
    at["summary_index"] = index;
    Json begun = part;
    begun["text"] = "";
    emit("response.reasoning_summary_part.added", with(at, {{"part", std::move(begun)}}));
    emit_pieces("response.reasoning_summary_text.delta", at, text.get_ref<const std::string&>());
    emit("response.reasoning_summary_text.done", with(at, {{"text", text}}));
    emit("response.reasoning_summary_part.done", with(at, {{"part", part}}));
    return true;
  }

  bool split_parts(const Json& item, const char* name) {
    std::size_t index = 0;
    for (const auto& part : member_of(item, name)) {
      Json at = place_;
      at["content_index"] = index++;
      if (!split_part(part, at)) {
        return false;
      }
    }
    return true;
  }

  bool split_part(const Json& part, const Json& at) {
    const auto type = text_of(member_of(part, "type"));
    const char* const name = type == "refusal" ? "refusal" : "text";
    const Json& text = member_of(part, name);
    if ((type != "output_text" && type != "refusal" && type != "reasoning_text") ||
        !text.is_string()) {
      return false;
    }
    Json begun = part;
    begun[name] = "";
    for (const auto* list : {"annotations", "logprobs"}) {
      if (member_of(begun, list).is_array()) {
        begun[list] = Json::array();
      }
    }
    emit("response.content_part.added", with(at, {{"part", std::move(begun)}}));
    if (type == "output_text") {
      split_output_text(part, at);
    } else {
      const auto event = "response." + type;
      emit_pieces(event + ".delta", at, text.get_ref<const std::string&>());
      emit(event + ".done", with(at, {{name, text}}));
    }
    emit("response.content_part.done", with(at, {{"part", part}}));
    return true;
  }

  // Log probabilities belong to tokens, whose borders pieces would not keep.
  void split_output_text(const Json& part, const Json& at) {
    const Json& text = member_of(part, "text");
    const Json& given = member_of(part, "logprobs");
    const Json logprobs = given.is_array() ? given : Json::array();
    if (logprobs.empty()) {
      emit_pieces("response.output_text.delta", with(at, {{"logprobs", logprobs}}),
                  text.get_ref<const std::string&>());
    } else {
      emit("response.output_text.delta", with(at, {{"delta", text}, {"logprobs", logprobs}}));
    }
    std::size_t index = 0;
    for (const auto& annotation : member_of(part, "annotations")) {
      emit("response.output_text.annotation.added",
           with(at, {{"annotation_index", index++}, {"annotation", annotation}}));
    }
    emit("response.output_text.done", with(at, {{"text", text}, {"logprobs", logprobs}}));
  }

  static Json with(Json event, const Json& more) {
    event.update(more);
    return event;
  }

  void emit_pieces(const std::string& type, const Json& at, std::string_view text) {
    while (!text.empty()) {
      emit(type, with(at, {{"delta", take_piece(text)}}));
    }
  }

  void emit(const std::string& type, const Json& members) {
    Json event = {{"type", type}, {"sequence_number", sequence_++}};
    event.update(members);
    append_event(out_, type, event.dump());
  }

  const Json& body_;
  Json place_;  // members that say which item an event is about
  std::size_t output_index_ = 0;
  std::uint64_t sequence_ = 0;
  std::string out_;
};

}  // namespace

std::optional<std::string> split_response(const Json& body) {
  return ResponseSplitter(body).split();
}

}  // namespace llm_edge_cache::proxy
