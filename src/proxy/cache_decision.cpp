#include "proxy/cache_decision.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace llm_edge_cache::proxy {

RequestPlan plan_request(const RequestDirectives& directives) {
  RequestPlan plan;
  if (directives.no_store) {
    plan.may_store = false;
  }
  if (directives.no_store || directives.no_cache) {
    plan.may_look_up = false;
    plan.may_share_flight = false;
    plan.forward_reason = ForwardReason::kRequest;
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
  return entry.status == 200 && entry.is_fresh(now_ms) &&
         (!directives.max_age_s || age_s(entry, now_ms) <= *directives.max_age_s);
}

std::int64_t age_s(const Entry& entry, UnixMillis now_ms) {
  return std::max<std::int64_t>(0, now_ms - entry.response.cached_at_ms) / 1'000;
}

std::int64_t remaining_ttl_s(const Entry& entry, UnixMillis now_ms) {
  return std::max<std::int64_t>(0, entry.expires_ms - now_ms) / 1'000;
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

std::uint64_t ttl_for(const RequestDirectives& directives, std::uint64_t configured_ttl_ms) {
  return std::min(directives.ttl_ms.value_or(configured_ttl_ms), configured_ttl_ms);
}

EntryPtr make_entry(AnswerToStore answer, UnixMillis now_ms) {
  auto entry = std::make_shared<Entry>();
  entry->response.content = std::move(answer.content);
  entry->response.tokens = answer.review.usage;
  entry->response.model = std::move(answer.review.model);
  entry->response.cached_at_ms = now_ms;
  entry->content_type = std::move(answer.content_type);
  entry->finish_reason = std::move(answer.review.finish_reason);
  entry->expires_ms = now_ms + static_cast<UnixMillis>(answer.ttl_ms);
  entry->tags = std::move(answer.tags);
  return entry;
}

}  // namespace llm_edge_cache::proxy
