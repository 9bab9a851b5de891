// The decisions about a request and its answer, apart from all that carries them out: no sockets,
// no clock, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/entry.hpp"
#include "http/message.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/cache_status.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {

// What may be done for a request whose key is known.
struct RequestPlan {
  bool may_look_up = true;
  // Join a call that runs already, and let others join the one that is made.
  bool may_share_flight = true;
  bool may_call_upstream = true;
  bool may_store = true;
  ForwardReason forward_reason = ForwardReason::kMiss;

  friend bool operator==(const RequestPlan&, const RequestPlan&) = default;
};

// no-store: neither looked up nor stored nor shared. no-cache: a call of its own, whose answer
// replaces what is stored. only-if-cached: no call at all.
[[nodiscard]] RequestPlan plan_request(const RequestDirectives& directives);

// The form in which an answer of this content type stands; empty for neither.
[[nodiscard]] std::optional<AnswerForm> form_of(std::string_view content_type);

// Whether a stored answer may be given to this request, its form aside.
[[nodiscard]] bool is_acceptable(const Entry& entry, const RequestDirectives& directives,
                                 UnixMillis now_ms);

// Whole seconds, never negative.
[[nodiscard]] std::int64_t age_s(const Entry& entry, UnixMillis now_ms);
[[nodiscard]] std::int64_t remaining_ttl_s(const Entry& entry, UnixMillis now_ms);

// Why an answer with this head will not be stored, whatever its body; empty where it may be.
[[nodiscard]] std::optional<StoreRefusal> judge_head(const http::ResponseHead& head,
                                                     AnswerForm wanted);

// The life of an answer stored for this request; 0: it is not stored.
[[nodiscard]] std::uint64_t ttl_for(const RequestDirectives& directives,
                                    std::uint64_t configured_ttl_ms);

struct AnswerToStore {
  std::string content;
  std::string content_type;
  AnswerReview review;
  std::uint64_t ttl_ms = 0;
  std::vector<std::string> tags;
};
[[nodiscard]] EntryPtr make_entry(AnswerToStore answer, UnixMillis now_ms);

}  // namespace llm_edge_cache::proxy
