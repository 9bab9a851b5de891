#include "serve/entry_line.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

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

// OpenSSL passes over white space at the ends and takes an "=" anywhere for a zero.
bool is_base64(std::string_view text) {
  const auto digits = text.substr(0, text.find('='));
  const auto padding = text.size() - digits.size();
  const bool is_padded = padding <= 2 && text.substr(digits.size()) == std::string(padding, '=');
  return text.size() % 4 == 0 && is_padded && text.size() <= std::numeric_limits<int>::max() &&
         digits.find_first_of(" \t\r\n") == std::string_view::npos;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (!is_base64(text)) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding = std::count(text.begin(), text.end(), '=');
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

// Why a line is none of ours; caught by entry_of_line().
struct NotAnEntry {
  std::string why;
};

const Json& member_of(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end()) throw NotAnEntry{"'" + name + "' is missing"};
  return *found;
}

std::string text_of(const Json& json, const std::string& name) {
  const Json& value = member_of(json, name);
  if (!value.is_string()) throw NotAnEntry{"'" + name + "' is not a text"};
  return value.get<std::string>();
}

// Json itself would cut a number to the type's bits.
template <class Number>
Number number_of(const Json& json, const std::string& name,
                 Number largest = std::numeric_limits<Number>::max()) {
  const Json& value = member_of(json, name);
  if (!value.is_number_integer()) throw NotAnEntry{"'" + name + "' is not a whole number"};
  const bool is_negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
  if (is_negative || std::cmp_greater(value.get<std::uint64_t>(), largest)) {
    throw NotAnEntry{"'" + name + "' is out of range"};
  }
  return value.get<Number>();
}

std::vector<std::string> tags_of(const Json& json) {
  const Json& value = member_of(json, "tags");
  const auto is_text = [](const Json& tag) { return tag.is_string(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) {
    throw NotAnEntry{"'tags' is not a list of texts"};
  }
  return value.get<std::vector<std::string>>();
}

std::optional<TokenUsage> usage_of(const Json& json) {
  if (!json.contains("tokens")) return std::nullopt;
  const Json& tokens = json["tokens"];
  if (!tokens.is_object()) throw NotAnEntry{"'tokens' is not an object"};
  return TokenUsage{.prompt_tokens = number_of<std::uint32_t>(tokens, "prompt"),
                    .completion_tokens = number_of<std::uint32_t>(tokens, "completion"),
                    .total_tokens = number_of<std::uint32_t>(tokens, "total")};
}

std::string content_of(const Json& json) {
  if (!json.contains("content_base64")) return text_of(json, "content");
  auto content = from_base64(text_of(json, "content_base64"));
  if (!content) throw NotAnEntry{"'content_base64' is not base64"};
  return *std::move(content);
}

// Throws NotAnEntry.
KeyedEntry read_line(const Json& json) {
  constexpr UnixMillis kLatestAnswerMs = 253'402'300'799'999;  // of the year 9999: ages are counted
  const auto key = key_digest_from_hex(text_of(json, "key"));
  if (!key) throw NotAnEntry{"'key' is not 64 hex digits"};
  auto entry = std::make_shared<Entry>();
  entry->response.model = text_of(json, "model");
  entry->status = number_of<std::uint16_t>(json, "status");
  entry->content_type = text_of(json, "content_type");
  entry->finish_reason = text_of(json, "finish_reason");
  entry->response.cached_at_ms = number_of<UnixMillis>(json, "created_ms", kLatestAnswerMs);
  entry->expires_ms = number_of<UnixMillis>(json, "expires_ms");
  entry->stale_until_ms = number_of<UnixMillis>(json, "stale_until_ms");
  entry->tags = tags_of(json);
  entry->response.tokens = usage_of(json);
  entry->response.content = content_of(json);
  return KeyedEntry{*key, std::move(entry)};
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
  } catch (NotAnEntry& reason) {
    return invalid_entry(std::move(reason.why));
  }
}

}  // namespace llm_edge_cache::app
