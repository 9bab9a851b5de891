#include "proxy/served_answer.hpp"

#include <utility>

#include "base/decimal.hpp"
#include "proxy/access_record.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/cache_status.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kStreamType = "text/event-stream; charset=utf-8";

std::string_view detail_of(const ServedAnswer& answer) {
  switch (answer.reason) {
    case ServeReason::kFresh:
      break;
    case ServeReason::kStaleWhileRevalidate:
      return "stale_while_revalidate";
    case ServeReason::kMaxStale:
      return "max_stale";
    case ServeReason::kStaleIfError:
      return "stale_if_error";
  }
  switch (answer.outcome) {
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

std::optional<ServedAnswer> in_wanted_form(LookedUp found, ServeReason reason,
                                           const ServeTerms& terms) {
  const auto recorded = form_of(found.entry->content_type);
  if (!recorded) {
    return std::nullopt;
  }
  auto adapted = adapt(found.entry, *recorded, terms);
  if (!adapted) {
    return std::nullopt;
  }
  ServedAnswer answer;
  answer.outcome = reason == ServeReason::kFresh ? found.outcome : LookupOutcome::kStale;
  answer.reason = reason;
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

template <class AddCacheStatus>
void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms, AddCacheStatus add_cache_status) {
  note_outcome(exchange, answer.outcome);
  note_key(exchange, key);
  note_answer(exchange, *answer.entry);
  thread_local http::FieldLines fields;  // for its memory
  fields.clear();
  fields.add<"Content-Type">(answer.content_type);
  fields.add<"Age">(Decimal(age_s(*answer.entry, now_ms)));
  add_cache_status(fields);
  fields.add<"x-llm-cache-key">(ShortHex(key));
  exchange.respond(200, fields, answer.body);
}

}  // namespace

std::optional<ServedAnswer> make_served_answer(LookedUp found, const ServeTerms& terms) {
  if (found.entry == nullptr) {
    return std::nullopt;
  }
  const auto reason = reason_to_serve(*found.entry, terms.directives, terms.policy, terms.now_ms);
  return reason ? in_wanted_form(std::move(found), *reason, terms) : std::nullopt;
}

std::optional<ServedAnswer> make_fallback_answer(EntryPtr found, const ServeTerms& terms) {
  if (found == nullptr ||
      !may_serve_after_failure(*found, terms.directives, terms.policy, terms.now_ms)) {
    return std::nullopt;
  }
  return in_wanted_form({LookupOutcome::kStale, std::move(found)}, ServeReason::kStaleIfError,
                        terms);
}

void count_served(ProxyServices& services, const ServedAnswer& answer) {
  const auto& response = answer.entry->response;
  services.metrics.count_request(answer.outcome);
  services.metrics.count_tokens_saved(response.model,
                                      response.tokens ? response.tokens->total_tokens : 0);
}

void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms) {
  respond_served(exchange, answer, key, now_ms, [&](http::FieldLines& fields) {
    add_hit_status(fields, remaining_ttl_s(*answer.entry, now_ms), detail_of(answer));
  });
}

void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms, std::string_view cache_status) {
  respond_served(exchange, answer, key, now_ms,
                 [&](http::FieldLines& fields) { fields.add<"Cache-Status">(cache_status); });
}

}  // namespace llm_edge_cache::proxy
