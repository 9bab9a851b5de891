#include "serve/entry_line.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/parse_number.hpp"

namespace llm_edge_cache::app {

namespace {

using Json = nlohmann::ordered_json;

Error invalid_entry(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max()) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding =
      std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '=');
  bytes.resize(static_cast<std::size_t>(size - padding));
  return bytes;
}

Json without_content(const Entry& entry) {
  Json json = {{"model", entry.response.model},
               {"status", entry.status},
               {"content_type", entry.content_type},
               {"finish_reason", entry.finish_reason},
               {"created_ms", entry.response.cached_at_ms},
               {"expires_ms", entry.expires_ms},
               {"stale_until_ms", entry.stale_until_ms},
               {"tags", entry.tags}};
  if (const auto& tokens = entry.response.tokens) {
    json["tokens"] = {{"prompt", tokens->prompt_tokens},
                      {"completion", tokens->completion_tokens},
                      {"total", tokens->total_tokens}};
  }
  return json;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TokenUsage usage_of(const Json& tokens) {
  return {.prompt_tokens = tokens.at("prompt"),
          .completion_tokens = tokens.at("completion"),
          .total_tokens = tokens.at("total")};
}

// Throws Json::exception for a member that is missing or of another type.
Result<KeyedEntry> read_line(const Json& json) {
  const auto key = key_digest_from_hex(json.at("key").get<std::string>());
  if (!key) return invalid_entry("'key' is not 64 hex digits");
  auto entry = std::make_shared<Entry>();
  entry->response.model = json.at("model");
  entry->status = json.at("status");
  entry->content_type = json.at("content_type");
  entry->finish_reason = json.at("finish_reason");
  entry->response.cached_at_ms = json.at("created_ms");
  entry->expires_ms = json.at("expires_ms");
  entry->stale_until_ms = json.at("stale_until_ms");
  entry->tags = json.at("tags").get<std::vector<std::string>>();
  if (json.contains("tokens")) entry->response.tokens = usage_of(json.at("tokens"));
  if (json.contains("content_base64")) {
    auto content = from_base64(json.at("content_base64").get<std::string>());
    if (!content) return invalid_entry("'content_base64' is not base64");
    entry->response.content = *std::move(content);
  } else {
    entry->response.content = json.at("content");
  }
  return KeyedEntry{*key, std::move(entry)};
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
    return invalid_entry("max_age_seconds is not a number of seconds");
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
    return invalid_entry("the query knows model, tag and max_age_seconds");
  }
  return {};
}

}  // namespace

std::string to_line(const KeyedEntry& entry) {
  Json json = {{"key", to_hex(entry.key)}};
  json.update(without_content(*entry.entry));
  const std::string& content = entry.entry->response.content;
  json["content"] = content;
  try {
    return json.dump() + "\n";
  } catch (const Json::type_error&) {  // not UTF-8
    json.erase("content");
    json["content_base64"] = to_base64(content);
    return dump(json) + "\n";
  }
}

std::string to_summary(const Entry& entry, UnixMillis now_ms) {
  Json json = without_content(entry);
  std::erase_if(json["tags"].get_ref<Json::array_t&>(), [](const Json& tag) {
    return tag.get_ref<const std::string&>().starts_with('\x01');  // of a namespace
  });
  json["content_bytes"] = entry.response.content.size();
  json["age_ms"] = now_ms - entry.response.cached_at_ms;
  json["ttl_ms"] = entry.expires_ms - now_ms;
  return dump(json);
}

Result<KeyedEntry> entry_of_line(std::string_view line) {
  const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return invalid_entry("not a JSON object");
  try {
    return read_line(json);
  } catch (const Json::exception& error) {
    return invalid_entry(error.what());
  }
}

Result<EntryFilter> EntryFilter::of_query(std::string_view query) {
  EntryFilter filter;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto name = pair.substr(0, pair.find('='));
    auto value = percent_decoded(pair.substr(std::min(pair.size(), name.size() + 1)));
    if (!value) return invalid_entry("the query is not percent-encoded");
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
