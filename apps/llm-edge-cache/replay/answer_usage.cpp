#include "replay/answer_usage.hpp"

#include <nlohmann/json.hpp>

#include "http/sse.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kMaxEventBytes = 16U << 20U;

std::uint64_t tokens_in(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return 0;
  const auto usage = json.find("usage");
  if (usage == json.end() || !usage->is_object()) return 0;
  const auto total = usage->find("total_tokens");
  return total != usage->end() && total->is_number_unsigned() ? total->get<std::uint64_t>() : 0;
}

}  // namespace

std::uint64_t total_tokens_of(std::string_view body) {
  if (body.starts_with('{')) return tokens_in(body);
  std::uint64_t tokens = 0;
  http::SseParser parser(kMaxEventBytes);
  const auto status = parser.feed(body, [&](const http::SseEvent& event) {
    if (const auto found = tokens_in(event.data); found > 0) tokens = found;
  });
  return status ? tokens : 0;
}

}  // namespace llm_edge_cache::app
