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

// Asks the dialect once for each entry and wish, as far as the memory of that reaches.
std::optional<AdaptedAnswers::Adapted> adapt(const EntryPtr& entry, AnswerForm recorded,
                                             const ServeTerms& terms) {
  if (recorded == AnswerForm::kJson && terms.wish.form == AnswerForm::kJson) {
    return AdaptedAnswers::Adapted();  // the usual case, without a look into the table
  }
  if (auto known = terms.adapted.find(entry, terms.wish)) {
    return known;
  }
  auto made = terms.dialect.adapt(recorded, entry->response.content, terms.wish);
  if (!made.ok()) {
    return std::nullopt;
  }
  AdaptedAnswers::Adapted adapted;
  if (made->has_value()) {
    adapted.body = http::SharedBytes(std::move(**made));
  }
  terms.adapted.insert(entry, terms.wish, adapted);
  return adapted;
}

}  // namespace

std::optional<ServedAnswer> make_served_answer(LookedUp found, const ServeTerms& terms) {
  if (found.entry == nullptr || !is_acceptable(*found.entry, terms.directives, terms.now_ms)) {
    return std::nullopt;
  }
  const auto recorded = form_of(found.entry->content_type);
  if (!recorded) {
    return std::nullopt;
  }
  auto adapted = adapt(found.entry, *recorded, terms);
  if (!adapted) {
    return std::nullopt;
  }
  ServedAnswer answer;
  answer.outcome = found.outcome;
  if (adapted->body) {
    answer.body = std::move(*adapted->body);
    answer.content_type = terms.wish.form == AnswerForm::kStream ? kStreamType : kJsonType;
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
