#include "proxy/cache_decision.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;

// When the tenant's longest life of an answer ends.
UnixMillis end_for_tenant(const Entry& entry, const RequestDirectives& directives) {
  return directives.max_ttl_ms
             ? entry.response.cached_at_ms + static_cast<UnixMillis>(*directives.max_ttl_ms)
             : std::numeric_limits<UnixMillis>::max();
}

bool is_young_enough(const Entry& entry, const RequestDirectives& directives, UnixMillis now_ms) {
  return now_ms < end_for_tenant(entry, directives) &&
         (!directives.max_age_s || age_s(entry, now_ms) <= *directives.max_age_s);
}

// Until when the answer would have pleased the request as a fresh one.
UnixMillis fresh_until(const Entry& entry, const RequestDirectives& directives) {
  auto until_ms = std::min(entry.expires_ms, end_for_tenant(entry, directives));
  if (directives.min_fresh_s) {
    until_ms -= *directives.min_fresh_s * kMsPerSecond;
  }
  if (directives.max_age_s) {
    const auto grown_old_ms = (*directives.max_age_s + 1) * kMsPerSecond;
    until_ms = std::min(until_ms, entry.response.cached_at_ms + grown_old_ms);
  }
  return until_ms;
}

// From 0 to 1, the same for a key everywhere.
double fraction_of(const KeyDigest& key) {
  constexpr std::size_t kBytes = 4;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    bits = bits << 8U | key.bytes[i];
  }
  return bits / 4'294'967'296.0;
}

}  // namespace

RequestPlan plan_request(const RequestDirectives& directives, const CachePolicy& policy) {
  RequestPlan plan;
  if (directives.no_store || !policy.is_cached) {
    plan.may_store = false;
  }
  if (directives.no_store || directives.no_cache || !policy.is_cached) {
    plan.may_look_up = false;
    plan.may_share_flight = false;
    plan.forward_reason = policy.is_cached ? ForwardReason::kRequest : ForwardReason::kBypass;
  }
  if (directives.only_if_cached) {
    plan.may_share_flight = false;
    plan.may_call_upstream = false;
  }
  if (directives.ttl_ms == 0U) {
    plan.may_store = false;
    // Its answer would land nowhere: those who joined could be stored for, were the call theirs.
    plan.may_share_flight = false;
  }
  return plan;
}

std::optional<AnswerForm> form_of(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) {
    type.remove_suffix(1);
  }
  if (http::equals_ignore_case(type, "application/json")) {
    return AnswerForm::kJson;
  }
  if (http::equals_ignore_case(type, "text/event-stream")) {
    return AnswerForm::kStream;
  }
  return std::nullopt;
}

bool is_acceptable(const Entry& entry, const RequestDirectives& directives, UnixMillis now_ms) {
  return entry.status == 200 && now_ms < fresh_until(entry, directives);
}

std::optional<ServeReason> reason_to_serve(const Entry& entry, const RequestDirectives& directives,
                                           const CachePolicy& policy, UnixMillis now_ms) {
  if (is_acceptable(entry, directives, now_ms)) {
    return ServeReason::kFresh;
  }
  if (entry.status != 200 || entry.is_fresh(now_ms) || now_ms >= entry.end_ms() ||
      directives.min_fresh_s || !is_young_enough(entry, directives, now_ms)) {
    return std::nullopt;
  }
  const auto stale_ms = now_ms - entry.expires_ms;
  if (directives.max_stale_s ? stale_ms > *directives.max_stale_s * kMsPerSecond
                             : directives.max_age_s.has_value()) {
    return std::nullopt;
  }
  const bool may_refresh = directives.ttl_ms != 0U;
  if (may_refresh && stale_ms < static_cast<UnixMillis>(policy.stale_while_revalidate_ms)) {
    return ServeReason::kStaleWhileRevalidate;
  }
  return directives.max_stale_s ? std::optional(ServeReason::kMaxStale) : std::nullopt;
}

bool may_serve_after_failure(const Entry& entry, const RequestDirectives& directives,
                             const CachePolicy& policy, UnixMillis now_ms) {
  if (entry.status != 200 || now_ms >= entry.end_ms() ||
      now_ms >= end_for_tenant(entry, directives)) {
    return false;
  }
  if (directives.stale_if_error_s) {
    return now_ms - fresh_until(entry, directives) <= *directives.stale_if_error_s * kMsPerSecond;
  }
  if (directives.max_age_s || directives.min_fresh_s) {
    return false;
  }
  const auto stale_ms = now_ms - entry.expires_ms;
  return stale_ms < static_cast<UnixMillis>(policy.stale_if_error_ms) &&
         (!directives.max_stale_s || stale_ms <= *directives.max_stale_s * kMsPerSecond);
}

ForwardReason reason_to_forward(const Entry* entry, UnixMillis now_ms) {
  if (entry == nullptr) {
    return ForwardReason::kMiss;
  }
  return entry->is_fresh(now_ms) ? ForwardReason::kRequest : ForwardReason::kStale;
}

std::int64_t age_s(const Entry& entry, UnixMillis now_ms) {
  return std::max<std::int64_t>(0, now_ms - entry.response.cached_at_ms) / kMsPerSecond;
}

std::int64_t remaining_ttl_s(const Entry& entry, UnixMillis now_ms) {
  const auto left_ms = entry.expires_ms - now_ms;
  return left_ms >= 0 ? left_ms / kMsPerSecond : (left_ms - kMsPerSecond + 1) / kMsPerSecond;
}

std::optional<StoreRefusal> judge_head(const http::ResponseHead& head, AnswerForm wanted) {
  if (head.status != 200) {
    return StoreRefusal::kStatus;
  }
  const auto encoding = head.headers.get("content-encoding").value_or("identity");
  if (head.headers.count("content-encoding") > 1 ||
      !http::equals_ignore_case(encoding, "identity")) {
    return StoreRefusal::kEncoding;
  }
  if (form_of(head.headers.get("content-type").value_or("")) != wanted) {
    return StoreRefusal::kContentType;
  }
  return std::nullopt;
}

Lifetimes lifetimes_for(const RequestDirectives& directives, const CachePolicy& policy,
                        const KeyDigest& key) {
  constexpr auto kAny = std::numeric_limits<std::uint64_t>::max();
  const auto longest_ms = directives.max_ttl_ms.value_or(kAny);
  const auto wanted_ms =
      std::min({directives.ttl_ms.value_or(policy.ttl_ms), policy.max_ttl_ms, longest_ms});
  const auto shortened = static_cast<double>(policy.ttl_jitter_percent) / 100 * fraction_of(key);
  const auto ttl_ms =
      wanted_ms - static_cast<std::uint64_t>(static_cast<double>(wanted_ms) * shortened);
  return {ttl_ms, std::min(policy.stale_ms(), longest_ms - ttl_ms)};
}

EntryPtr make_entry(AnswerToStore answer, UnixMillis now_ms) {
  auto entry = std::make_shared<Entry>();
  entry->response.content = std::move(answer.content);
  entry->response.tokens = answer.review.usage;
  entry->response.model = std::move(answer.review.model);
  entry->response.cached_at_ms = now_ms;
  entry->content_type = std::move(answer.content_type);
  entry->finish_reason = std::move(answer.review.finish_reason);
  entry->expires_ms = now_ms + static_cast<UnixMillis>(answer.life.ttl_ms);
  entry->stale_until_ms = entry->expires_ms + static_cast<UnixMillis>(answer.life.stale_ms);
  entry->tags = std::move(answer.tags);
  return entry;
}

}  // namespace llm_edge_cache::proxy
