#include "proxy/cache_status.hpp"

#include "base/decimal.hpp"

namespace llm_edge_cache::proxy {
namespace {

std::string_view to_token(ForwardReason reason) {
  switch (reason) {
    case ForwardReason::kBypass:
      return "bypass";
    case ForwardReason::kMiss:
      return "miss";
    case ForwardReason::kRequest:
      return "request";
    case ForwardReason::kStale:
      return "stale";
  }
  return "miss";
}

}  // namespace

void add_hit_status(http::FieldLines& fields, std::int64_t ttl_s, std::string_view detail) {
  fields.add<"Cache-Status">(kCacheName, "; hit; ttl=", Decimal(ttl_s), "; detail=", detail);
}

std::string fallback_status(const FallbackStatus& status) {
  std::string text(kCacheName);
  text.append("; fwd=").append(to_token(status.reason));
  if (status.upstream_status) {
    text.append("; fwd-status=").append(std::to_string(*status.upstream_status));
  }
  if (status.is_collapsed) {
    text.append("; collapsed");
  }
  text.append("; ttl=").append(std::to_string(status.ttl_s)).append("; detail=stale_if_error");
  return text;
}

std::string forward_status(const ForwardStatus& status) {
  std::string text(kCacheName);
  text.append("; fwd=").append(to_token(status.reason));
  if (status.upstream_status && *status.upstream_status != 200) {
    text.append("; fwd-status=").append(std::to_string(*status.upstream_status));
  }
  if (status.is_stored) {
    text.append("; stored");
  }
  if (status.is_collapsed) {
    text.append("; collapsed");
  }
  if (!status.detail.empty()) {
    text.append("; detail=").append(status.detail);
  }
  return text;
}

std::string refusal_status(std::string_view detail) {
  return std::string(kCacheName).append("; detail=").append(detail);
}

void add_cache_status(http::Headers& headers, std::string_view status) {
  headers.add("Cache-Status", status);
}

}  // namespace llm_edge_cache::proxy
