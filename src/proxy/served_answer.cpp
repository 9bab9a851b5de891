#include "proxy/served_answer.hpp"

#include <string>
#include <utility>

#include "proxy/cache_decision.hpp"
#include "proxy/cache_status.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kStreamType = "text/event-stream; charset=utf-8";

std::string_view tier_of(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kL2Hit:
      return "l2";
    case LookupOutcome::kL3Hit:
      return "l3";
    default:
      return "l1";
  }
}

}  // namespace

std::optional<ServedAnswer> make_served_answer(LookedUp found, const RequestDirectives& directives,
                                               AnswerWish wish, const Dialect& dialect,
                                               UnixMillis now_ms) {
  if (found.entry == nullptr || !is_acceptable(*found.entry, directives, now_ms)) {
    return std::nullopt;
  }
  const auto recorded = form_of(found.entry->content_type);
  if (!recorded) {
    return std::nullopt;
  }
  auto adapted = dialect.adapt(*recorded, found.entry->response.content, wish);
  if (!adapted.ok()) {
    return std::nullopt;
  }
  ServedAnswer answer;
  answer.outcome = found.outcome;
  if (adapted->has_value()) {
    answer.body = http::SharedBytes(std::move(**adapted));
    answer.content_type = wish.form == AnswerForm::kStream ? kStreamType : kJsonType;
  } else {
    answer.body = http::SharedBytes(found.entry, found.entry->response.content);
    answer.content_type = found.entry->content_type;
  }
  answer.entry = std::move(found.entry);
  return answer;
}

void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms) {
  http::ResponseHead head;
  head.headers.add("Content-Type", answer.content_type);
  head.headers.add("Age", std::to_string(age_s(*answer.entry, now_ms)));
  add_cache_status(head.headers,
                   hit_status(remaining_ttl_s(*answer.entry, now_ms), tier_of(answer.outcome)));
  head.headers.add("x-llm-cache-key", short_key(key));
  exchange.respond(std::move(head), answer.body);
}

std::string short_key(const KeyDigest& key) {
  return to_hex(key).substr(0, 16);
}

}  // namespace llm_edge_cache::proxy
