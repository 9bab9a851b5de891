// Header fields of a request, one a line: what is read of them is within its bounds, and nothing of
// it is left for the upstream.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz/fuzz_check.hpp"
#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {
namespace {

http::Headers headers_of(std::string_view lines) {
  http::Headers headers;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() == lines.size() ? line.size() : line.size() + 1);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
      headers.add(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  return headers;
}

void check_seconds(const std::optional<std::int64_t>& seconds) {
  fuzz_check(!seconds || (*seconds >= 0 && *seconds <= kMaxDirectiveSeconds), "seconds fit");
}

void check(const RequestDirectives& directives) {
  check_seconds(directives.max_age_s);
  check_seconds(directives.min_fresh_s);
  check_seconds(directives.max_stale_s);
  check_seconds(directives.stale_if_error_s);
  fuzz_check(!directives.ttl_ms || *directives.ttl_ms <= kMaxDirectiveSeconds * 1'000ULL,
             "a life fits");
  fuzz_check(directives.name_space.size() <= kMaxNamespaceBytes, "a namespace is bounded");
  fuzz_check(directives.tags.size() <= kMaxTags, "tags are few");
  for (const auto& tag : directives.tags) {
    fuzz_check(!tag.empty() && tag.size() <= kMaxTagBytes, "a tag is short");
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  auto headers = proxy::headers_of(std::string_view(reinterpret_cast<const char*>(data), size));
  const auto directives = proxy::parse_request_directives(headers);
  if (directives.ok()) {
    proxy::check(*directives);
  } else {
    // In the client's spelling.
    fuzz_check(http::has_prefix(directives.error().message, "x-llm-cache-"),
               "an error names its field");
  }
  proxy::strip_request_directives(headers);
  const auto rest = proxy::parse_request_directives(headers);
  fuzz_check(rest.ok() && *rest == proxy::RequestDirectives(), "nothing is left");
  return 0;
}
