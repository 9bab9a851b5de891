#include "bench/entry/answers.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "line_reader.hpp"

namespace llm_edge_cache::bench {

namespace {

using app::Json;
using app::MockRandom;

std::set<std::string> read_prompts() {
  std::set<std::string> prompts;
  const char* data = std::getenv("LEC_DATA");
  const std::string folder = data == nullptr ? "../shared/data" : data;
  auto reader = app::LineReader::open(folder + "/prompts/bing-covid-us-2020-01.jsonl.gz");
  if (!reader) return prompts;
  for (auto line = reader->next(); line && *line; line = reader->next()) {
    prompts.insert(Json::parse(**line)["prompt"].get<std::string>());
  }
  return prompts;
}

std::string json_answer(const std::string& id, const std::string& text) {
  return Json(
             {{"id", id},
              {"object", "chat.completion"},
              {"created", 1'700'000'000},
              {"model", "gpt-4o-2024-08-06"},
              {"choices", Json::array({{{"index", 0},
                                        {"message", {{"role", "assistant"}, {"content", text}}},
                                        {"logprobs", nullptr},
                                        {"finish_reason", "stop"}}})},
              {"usage", {{"prompt_tokens", 57}, {"completion_tokens", 211}, {"total_tokens", 268}}},
              {"system_fingerprint", "fp_44709d6fcb"}})
      .dump();
}

std::string chunk(const std::string& id, const std::string& token) {
  return Json({{"id", id},
               {"object", "chat.completion.chunk"},
               {"created", 1'700'000'000},
               {"model", "gpt-4o-2024-08-06"},
               {"choices", Json::array({{{"index", 0},
                                         {"delta", {{"content", token}}},
                                         {"finish_reason", nullptr}}})}})
      .dump();
}

// Until there are that many bytes.
std::string stream_answer(const std::string& id, const std::string& text, std::size_t bytes) {
  std::string stream;
  for (const auto& token : app::mock_tokens(text)) {
    if (stream.size() >= bytes) break;
    stream += fmt::format("data: {}\n\n", chunk(id, token));
  }
  return stream + "data: [DONE]\n\n";
}

}  // namespace

Writer::Writer() {
  MockRandom random(1);
  for (const auto& prompt : read_prompts()) prompts_[random.below(2)].push_back(prompt);
}

std::string Writer::text(Part part, MockRandom& random, std::size_t bytes) const {
  const auto& prompts = prompts_[static_cast<std::size_t>(part)];
  std::string text;
  while (text.size() < bytes) {
    text += has_prompts() ? prompts[random.below(prompts.size())]
                          : app::mock_sentence(random, app::mock_length(random));
    text += random.below(6) == 0 ? ".\n\n" : ", ";
  }
  return text;
}

Entry Writer::answer(Part part, Shape shape, std::size_t bytes, std::uint64_t seed) const {
  MockRandom random(seed);
  const auto id = fmt::format("chatcmpl-{:016x}{:08x}", random.next(), random.below(1U << 31U));
  constexpr std::size_t kAroundTheText = 350;
  Entry entry;
  entry.response.content =
      shape == Shape::kSse
          ? stream_answer(id, text(part, random, bytes), bytes)
          : json_answer(id,
                        text(part, random, bytes > kAroundTheText ? bytes - kAroundTheText : 1));
  entry.response.model = "gpt-4o-2024-08-06";
  entry.response.tokens = TokenUsage{57, 211, 268};
  entry.response.cached_at_ms = 1'700'000'000'123;
  entry.content_type = shape == Shape::kSse ? "text/event-stream" : "application/json";
  entry.finish_reason = "stop";
  entry.expires_ms = 1'700'000'300'123;
  return entry;
}

}  // namespace llm_edge_cache::bench
