#include "proxy/request_directives.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/tag_stamp.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kOwnPrefix = "x-llm-cache-";
constexpr std::string_view kTtlField = "x-llm-cache-ttl";
constexpr std::string_view kNamespaceField = "x-llm-cache-namespace";
constexpr std::string_view kTagsField = "x-llm-cache-tags";
// Of our answers; some clients send back what they got.
constexpr std::string_view kKeyField = "x-llm-cache-key";

constexpr std::size_t kMaxNamedBytes = 64;  // of a name that an error repeats

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto* const begin = text.data();
  const auto* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, seconds);
  if (error == std::errc::result_out_of_range && text.front() != '-' && stop == end) {
    return kMaxDirectiveSeconds;
  }
  if (error != std::errc() || stop != end || seconds < 0) {
    return std::nullopt;
  }
  return std::min(seconds, kMaxDirectiveSeconds);
}

std::string_view unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

void keep_smallest(std::optional<std::int64_t>& kept, std::string_view argument) {
  const auto seconds = parse_seconds(unquoted(argument)).value_or(0);
  kept = std::min(kept.value_or(seconds), seconds);
}

void keep_largest(std::optional<std::int64_t>& kept, std::string_view argument) {
  const auto seconds = parse_seconds(unquoted(argument)).value_or(kMaxDirectiveSeconds);
  kept = std::max(kept.value_or(seconds), seconds);
}

void read_cache_directive(RequestDirectives& directives, std::string_view token) {
  const auto equals = token.find('=');
  const auto name = token.substr(0, equals);
  const bool has_argument = equals != std::string_view::npos;
  const auto argument = has_argument ? token.substr(equals + 1) : std::string_view();
  const auto is = [name](std::string_view known) { return http::equals_ignore_case(name, known); };
  if (is("no-store")) {
    directives.no_store = true;
  } else if (is("no-cache")) {
    directives.no_cache = true;
  } else if (is("only-if-cached")) {
    directives.only_if_cached = true;
  } else if (is("max-age")) {
    keep_smallest(directives.max_age_s, argument);
  } else if (is("min-fresh")) {
    keep_largest(directives.min_fresh_s, argument);
  } else if (is("stale-if-error")) {
    keep_smallest(directives.stale_if_error_s, argument);
  } else if (is("max-stale")) {
    if (has_argument) {
      keep_smallest(directives.max_stale_s, argument);
    } else if (!directives.max_stale_s) {
      directives.max_stale_s = kMaxDirectiveSeconds;
    }
  }
}

Error unusable(std::string_view field, std::string_view why) {
  return {ErrorCode::kInvalidArgument, std::string(field) + " " + std::string(why)};
}

Status read_ttl(RequestDirectives& directives, const http::Headers& headers) {
  if (headers.count(kTtlField) > 1) {
    return unusable(kTtlField, "is given more than once");
  }
  if (const auto text = headers.get(kTtlField)) {
    const auto seconds = text->empty() ? std::nullopt : parse_seconds(*text);
    if (!seconds) {
      return unusable(kTtlField, "must be a whole number of seconds");
    }
    directives.ttl_ms = static_cast<std::uint64_t>(*seconds) * 1'000;
  }
  return {};
}

Status read_namespace(RequestDirectives& directives, const http::Headers& headers) {
  if (headers.count(kNamespaceField) > 1) {
    return unusable(kNamespaceField, "is given more than once");
  }
  const auto name = headers.get(kNamespaceField).value_or("");
  if (name.size() > kMaxNamespaceBytes) {
    return unusable(kNamespaceField,
                    "must be at most " + std::to_string(kMaxNamespaceBytes) + " bytes long");
  }
  directives.name_space = name;
  return {};
}

Status read_tags(RequestDirectives& directives, const http::Headers& headers) {
  headers.for_each(kTagsField, [&](std::string_view list) {
    http::for_each_token(list, [&](std::string_view tag) { directives.tags.emplace_back(tag); });
  });
  const auto is_long = [](const std::string& tag) { return tag.size() > kMaxTagBytes; };
  if (directives.tags.size() > kMaxTags ||
      std::any_of(directives.tags.begin(), directives.tags.end(), is_long)) {
    return unusable(kTagsField, "may name at most " + std::to_string(kMaxTags) +
                                    " tags of at most " + std::to_string(kMaxTagBytes) + " bytes");
  }
  return {};
}

// A slip of the pen must not put into one compartment what was meant for two.
Status check_own_names(RequestDirectives& /*directives*/, const http::Headers& headers) {
  for (const auto& field : headers) {
    if (!http::has_prefix(field.name, kOwnPrefix)) continue;
    const auto is = [&](std::string_view known) {
      return http::equals_ignore_case(field.name, known);
    };
    if (!is(kTtlField) && !is(kNamespaceField) && !is(kTagsField) && !is(kKeyField)) {
      return unusable(field.name.substr(0, kMaxNamedBytes), "is not a field of this cache");
    }
  }
  return {};
}

}  // namespace

Result<RequestDirectives> parse_request_directives(const http::Headers& headers) {
  RequestDirectives directives;
  headers.for_each("cache-control", [&](std::string_view list) {
    http::for_each_token(list,
                         [&](std::string_view token) { read_cache_directive(directives, token); });
  });
  if (!headers.contains("cache-control") && headers.has_token("pragma", "no-cache")) {
    directives.no_cache = true;
  }
  for (const auto read : {check_own_names, read_ttl, read_namespace, read_tags}) {
    if (auto status = read(directives, headers); !status.ok()) {
      return status.error();
    }
  }
  return directives;
}

void strip_own_directives(http::Headers& headers) {
  headers.erase_prefixed(kOwnPrefix);
}

std::vector<std::string> tags_to_store(const RequestDirectives& directives) {
  auto tags = directives.tags;
  if (!directives.name_space.empty()) tags.push_back(namespace_tag(directives.name_space));
  if (!directives.tenant_space.empty()) tags.push_back(namespace_tag(directives.tenant_space));
  return tags;
}

void strip_request_directives(http::Headers& headers) {
  strip_own_directives(headers);
  headers.erase("cache-control");
  headers.erase("pragma");
}

}  // namespace llm_edge_cache::proxy
