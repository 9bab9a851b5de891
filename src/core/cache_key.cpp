#include "core/cache_key.hpp"

#include <cmath>
#include <cstdint>
#include <string>

#include "core/canonical_json.hpp"
#include "core/json_text.hpp"
#include "core/key_builder.hpp"
#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kShortKeyDigits = 16;

using LibraryKey = KeyBuilder<LibraryField>;

Status add_temperature(LibraryKey& key, double temperature) {
  if (!std::isfinite(temperature) || std::abs(temperature) > kMaxTemperature) {
    return Error{ErrorCode::kInvalidArgument, "temperature must be finite and at most 1000000"};
  }
  key.add(LibraryField::kTemperatureHundredths,
          static_cast<std::int64_t>(std::llround(temperature * 100)));
  return {};
}

Status add_parameter(LibraryKey& key, const std::string& name, const std::string& json) {
  key.add(LibraryField::kParameterName, name);
  if (is_plain_canonical_scalar(json)) {
    key.add(LibraryField::kParameterValue, json);
    return {};
  }
  const auto canonical = canonical_json(json);
  if (!canonical.ok()) {
    return Error{canonical.error().code,
                 "parameter \"" + name + "\": " + canonical.error().message};
  }
  key.add(LibraryField::kParameterValue, *canonical);
  return {};
}

}  // namespace

Result<KeyDigest> cache_key(const CacheableRequest& request, std::string_view default_namespace) {
  LibraryKey key;
  const auto& name_space = request.name_space();
  key.add(LibraryField::kNamespace, name_space ? std::string_view(*name_space) : default_namespace);
  key.add(LibraryField::kModel, request.model());
  key.add(LibraryField::kPrompt, request.prompt());
  if (const auto temperature = request.temperature()) {
    if (const auto status = add_temperature(key, *temperature); !status.ok()) {
      return status.error();
    }
  }
  if (const auto max_tokens = request.max_tokens()) {
    key.add(LibraryField::kMaxTokens, *max_tokens);
  }
  for (const auto& [name, json] : request.parameters()) {
    if (const auto status = add_parameter(key, name, json); !status.ok()) {
      return status.error();
    }
  }
  return std::move(key).finish();
}

Result<std::string> generate_cache_key(const CacheableRequest& request) {
  const auto key = cache_key(request, "");
  if (!key.ok()) {
    return key.error();
  }
  return to_hex(*key);
}

std::string generate_short_key(std::string_view cache_key) {
  return std::string(cache_key.substr(0, kShortKeyDigits));
}

}  // namespace llm_edge_cache
