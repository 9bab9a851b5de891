#include "replay/prompt_stream.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "line_reader.hpp"

namespace llm_edge_cache::app {

namespace {

Result<std::string> prompt_of(std::string_view line) {
  auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Error{ErrorCode::kInvalidArgument, "not JSON"};
  if (!json.is_object()) return Error{ErrorCode::kInvalidArgument, "not a JSON object"};
  const auto prompt = json.find("prompt");
  if (prompt == json.end() || !prompt->is_string()) {
    return Error{ErrorCode::kInvalidArgument, "no member 'prompt' that is text"};
  }
  return prompt->get<std::string>();
}

}  // namespace

Result<PromptStream> read_prompts(const std::string& path, std::size_t limit) {
  auto reader = LineReader::open(path);
  if (!reader) return reader.error();
  PromptStream stream;
  std::unordered_map<std::string, std::uint32_t> index;
  while (stream.order.size() < limit) {
    const auto line = reader->next();
    if (!line) return line.error();
    if (!line->has_value()) break;
    if ((*line)->empty()) continue;
    auto prompt = prompt_of(**line);
    if (!prompt) {
      return Error{prompt.error().code,
                   fmt::format("{}: {}", reader->position(), prompt.error().message)};
    }
    const auto [entry, is_new] =
        index.try_emplace(*prompt, static_cast<std::uint32_t>(stream.distinct.size()));
    if (is_new) stream.distinct.push_back(entry->first);
    stream.order.push_back(entry->second);
  }
  if (stream.order.empty()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: no prompts", path)};
  }
  return stream;
}

}  // namespace llm_edge_cache::app
