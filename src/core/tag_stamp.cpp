#include "core/tag_stamp.hpp"

#include <array>
#include <bit>
#include <memory>
#include <string>
#include <utility>

#include "base/parse_number.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::string_view kDomain{"llm-edge-cache tag\0", 19};
constexpr std::string_view kNamespaceDomain{"llm-edge-cache namespace\0", 25};
constexpr std::string_view kMarkerType = "application/x-llm-edge-cache-tag";
// Longer than any answer should live: a generation that ends takes its answers with it.
constexpr UnixMillis kMarkerLifeMs = 7LL * 24 * 3'600 * 1'000;

std::uint64_t random_generation() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  fill_random(bytes);
  return std::bit_cast<std::uint64_t>(bytes) | 1U;  // never 0
}

}  // namespace

KeyDigest tag_marker_key(std::string_view tag) {
  Sha256 digest;
  digest.update(kDomain);
  digest.update(tag);
  return std::move(digest).finish();
}

std::string namespace_tag(std::string_view name_space) {
  Sha256 digest;
  digest.update(kNamespaceDomain);
  digest.update(name_space);
  return "\x01"
         "ns-" +
         to_hex(std::move(digest).finish()).substr(0, 32);
}

EntryPtr make_tag_marker(UnixMillis now_ms) {
  auto marker = std::make_shared<Entry>();
  marker->response.content = std::to_string(random_generation());
  marker->response.cached_at_ms = now_ms;
  marker->content_type = kMarkerType;
  marker->expires_ms = now_ms + kMarkerLifeMs;
  marker->outlives_ttl = true;
  return marker;
}

EntryPtr renewed_tag_marker(const Entry& marker, UnixMillis now_ms) {
  auto renewed = std::make_shared<Entry>(marker);
  renewed->response.cached_at_ms = now_ms;
  renewed->expires_ms = now_ms + kMarkerLifeMs;
  renewed->outlives_ttl = true;  // which no stored entry says of itself
  return renewed;
}

bool is_tag_marker(const Entry& entry) {
  return entry.content_type == kMarkerType;
}

std::uint64_t generation_of(const EntryPtr& marker) {
  if (marker == nullptr || !is_tag_marker(*marker)) return 0;
  return parse_number<std::uint64_t>(marker->response.content).value_or(0);
}

}  // namespace llm_edge_cache
