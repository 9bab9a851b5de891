#include "serve/entry_filter.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/parse_number.hpp"

namespace llm_edge_cache::app {

namespace {

Error invalid_query(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

Result<std::int64_t> seconds_as_ms(std::string_view text) {
  constexpr std::int64_t kMaxSeconds = 100LL * 366 * 24 * 3'600;
  const auto seconds = parse_number<std::int64_t>(text);
  if (!seconds || *seconds < 0 || *seconds > kMaxSeconds) {
    return invalid_query("max_age_seconds is not a number of seconds");
  }
  return *seconds * 1'000;
}

Status set(EntryFilter& filter, std::string_view name, std::string value) {
  if (name == "model") {
    filter.model = std::move(value);
  } else if (name == "tag") {
    filter.tag = std::move(value);
  } else if (name == "max_age_seconds") {
    const auto age_ms = seconds_as_ms(value);
    if (!age_ms) return age_ms.error();
    filter.max_age_ms = *age_ms;
  } else {
    return invalid_query("the query knows model, tag and max_age_seconds");
  }
  return {};
}

}  // namespace

Result<EntryFilter> EntryFilter::of_query(std::string_view query) {
  EntryFilter filter;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto name = pair.substr(0, pair.find('='));
    auto value = percent_decoded(pair.substr(std::min(pair.size(), name.size() + 1)));
    if (!value) return invalid_query("the query is not percent-encoded");
    if (auto status = set(filter, name, *std::move(value)); !status) return status.error();
  }
  return filter;
}

bool EntryFilter::matches(const Entry& entry, UnixMillis now_ms) const {
  if (model && entry.response.model != *model) return false;
  if (max_age_ms && now_ms - entry.response.cached_at_ms > *max_age_ms) return false;
  return !tag || std::find(entry.tags.begin(), entry.tags.end(), *tag) != entry.tags.end();
}

}  // namespace llm_edge_cache::app
