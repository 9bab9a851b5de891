// A stored answer in the form that a request wants, ready to be sent.
#pragma once

#include <optional>
#include <string_view>

#include "core/tiered_cache.hpp"
#include "http/exchange.hpp"
#include "http/shared_bytes.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/adapted_answers.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {

struct ProxyServices;

struct ServedAnswer {
  LookupOutcome outcome = LookupOutcome::kL1Hit;  // kStale for every reason but kFresh
  ServeReason reason = ServeReason::kFresh;
  EntryPtr entry;
  http::SharedBytes body;  // the entry's own bytes, or what was made of them
  std::string_view content_type;
};

// What a request asks of an answer, and who can meet it.
struct ServeTerms {
  const RequestDirectives& directives;
  const CachePolicy& policy;
  AnswerWish wish;
  const Dialect& dialect;
  AdaptedAnswers& adapted;
  UnixMillis now_ms;
};

// Empty where what was found may not be given to this request, or does not hold what it asks for.
[[nodiscard]] std::optional<ServedAnswer> make_served_answer(LookedUp found,
                                                             const ServeTerms& terms);
// The same where the provider has failed.
[[nodiscard]] std::optional<ServedAnswer> make_fallback_answer(EntryPtr found,
                                                               const ServeTerms& terms);

// In the metrics.
void count_served(ProxyServices& services, const ServedAnswer& answer);

// Content type and what the cache says of itself; nothing of the header that the answer once came
// with.
void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms);
// cache_status: instead of what a hit says.
void respond_served(http::Exchange& exchange, const ServedAnswer& answer, const KeyDigest& key,
                    UnixMillis now_ms, std::string_view cache_status);

}  // namespace llm_edge_cache::proxy
