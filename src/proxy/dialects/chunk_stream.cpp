#include "proxy/dialects/chunk_stream.hpp"

#include <utility>

#include "proxy/dialects/delta_merge.hpp"
#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/padding.hpp"

namespace llm_edge_cache::proxy {

Assembled ChunkAssembler::assemble(std::string_view stream) {
  for (const auto block : event_blocks(stream)) {
    if (!refusal_) {
      add_block(block);
    }
  }
  if (!refusal_ && !is_done_) {
    refusal_ = StoreRefusal::kUnfinished;
  }
  if (!refusal_ && choices_.empty()) {
    refusal_ = StoreRefusal::kMalformed;
  }
  if (refusal_) {
    return not_assembled(*refusal_);
  }
  body_["object"] = object_;
  Json& list = body_["choices"] = Json::array();
  for (auto& [index, choice] : choices_) {
    is_exact_ = is_exact_ && std::cmp_equal(index, list.size());
    list.push_back(finish_choice(std::move(choice)));
  }
  return {.refusal = std::nullopt, .is_exact = is_exact_, .body = std::move(body_)};
}

void ChunkAssembler::add_block(std::string_view block) {
  const auto data = event_data(block);
  if (data.empty()) {
    return;
  }
  if (is_done_) {
    refusal_ = StoreRefusal::kMalformed;
  } else if (data == kStreamDone) {
    is_done_ = true;
  } else if (event_type(block) == "error") {
    refusal_ = StoreRefusal::kErrorInAnswer;
  } else {
    add_chunk(parse_answer_json(data));
  }
}

void ChunkAssembler::add_chunk(const std::optional<Json>& chunk) {
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
    } else if (name == "usage") {
      if (!value.is_null()) {
        body_[name] = value;  // a running total
      }
    } else if (name == "object") {
      body_.emplace(name, nullptr);
    } else if (name != kPaddingMember) {
      is_exact_ = merge_repeated(body_, name, value) && is_exact_;
    }
  }
}

void ChunkAssembler::add_choice(const Json& part) {
  const Json& index = member_of(part, "index");
  if (!index.is_number_unsigned()) {
    refusal_ = StoreRefusal::kMalformed;
    return;
  }
  const auto [choice, is_new] = choices_.try_emplace(index.get<std::int64_t>());
  if (is_new) {
    choice->second = {{"index", index}};
  }
  switch (add_part(choice->second, part)) {
    case Added::kExactly:
      break;
    case Added::kByGuess:
      is_exact_ = false;
      break;
    case Added::kNot:
      refusal_ = StoreRefusal::kMalformed;
      break;
  }
}

ChunkWriter::ChunkWriter(const Json& body, std::string_view object, bool include_usage)
    : body_(body), include_usage_(include_usage), frame_(Json::object()) {
  for (const auto& [name, value] : body.items()) {
    if (name != "usage" && name != "choices") {
      frame_[name] = value;
    }
  }
  frame_["object"] = object;
  frame_["choices"] = Json::array();
  if (include_usage) {
    frame_["usage"] = nullptr;  // OpenAI's way: every chunk but the last says so
  }
}

void ChunkWriter::add(Json choice) {
  frame_["choices"] = Json::array({std::move(choice)});
  emit();
}

std::string ChunkWriter::finish() && {
  if (include_usage_) {
    frame_["choices"] = Json::array();
    frame_["usage"] = member_of(body_, "usage");
    emit();
  }
  append_event(out_, {}, kStreamDone);
  return std::move(out_);
}

void ChunkWriter::emit() {
  append_event(out_, {}, frame_.dump());
}

Json chunked_part(const Json& body, AnswerWish wish) {
  auto part = body;
  if (!wish.include_usage) {
    part.erase("usage");
  }
  return part;
}

Result<std::optional<std::string>> adapt_chunks(std::string_view stream, AnswerWish wish) {
  const auto usage = find_usage_chunk(stream);
  if (wish.include_usage && usage.block.empty()) {
    return cannot_adapt("the recorded stream carries no usage");
  }
  std::optional<std::string> rest;
  if (!wish.include_usage && usage.has_only_usage) {
    const auto at = static_cast<std::size_t>(usage.block.data() - stream.data());
    rest = std::string(stream.substr(0, at));
    *rest += stream.substr(at + usage.block.size());
  }
  if (wish.without_padding && is_padded(stream)) {
    return strip_padding(rest ? std::string_view(*rest) : stream);
  }
  return rest;
}

UsageChunk find_usage_chunk(std::string_view stream) {
  const auto blocks = event_blocks(stream);
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const auto data = event_data(*block);
    if (data.empty() || data == kStreamDone) {
      continue;
    }
    const auto chunk = parse_answer_json(data).value_or(Json());
    const Json& choices = member_of(chunk, "choices");
    if (!choices.is_array()) {
      return {};
    }
    if (member_of(chunk, "usage").is_object()) {
      return {*block, choices.empty()};
    }
    if (!choices.empty()) {
      return {};
    }
  }
  return {};
}

}  // namespace llm_edge_cache::proxy
