// The decisions about a request and its answer, apart from all that carries them out: no sockets,
// no clock, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "http/message.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/cache_rules.hpp"
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

// no-store, and a rule that says never: neither looked up nor stored nor shared. no-cache: a call
// of its own, whose answer replaces what is stored. only-if-cached: no call at all.
[[nodiscard]] RequestPlan plan_request(const RequestDirectives& directives,
                                       const CachePolicy& policy);

// The form in which an answer of this content type stands; empty for neither.
[[nodiscard]] std::optional<AnswerForm> form_of(std::string_view content_type);

// What entitles a request to a stored answer.
enum class ServeReason {
  kFresh,
  kStaleWhileRevalidate,  // the operator's window; the answer is to be asked for anew
  kMaxStale,              // the request takes it as it is
  kStaleIfError,          // the provider failed
};

// Why a stored answer may be given to this request now, its form aside; empty where it may not. A
// request that bounds the age by max-age is given nothing stale, unless it says max-stale too (RFC
// 9111, 5.2.1.1), one with min-fresh never; max-stale also bounds what the operator's window
// allows, which is for requests that may refresh what they are given (not for a TTL of 0).
[[nodiscard]] std::optional<ServeReason> reason_to_serve(const Entry& entry,
                                                         const RequestDirectives& directives,
                                                         const CachePolicy& policy,
                                                         UnixMillis now_ms);

// The same where the provider has failed. The request's own stale-if-error takes the place of the
// operator's window, and then counts from where the request would have had a younger answer.
[[nodiscard]] bool may_serve_after_failure(const Entry& entry, const RequestDirectives& directives,
                                           const CachePolicy& policy, UnixMillis now_ms);

// Whether a status says that the provider cannot answer now, though it might another time. What it
// says about the request or its credential is for the client.
[[nodiscard]] constexpr bool is_provider_failure(std::uint16_t status) {
  return status >= 500 || status == 429;
}

// Why the provider is asked, given what was found; entry may be null.
[[nodiscard]] ForwardReason reason_to_forward(const Entry* entry, UnixMillis now_ms);

// A fresh answer that this request may have.
[[nodiscard]] bool is_acceptable(const Entry& entry, const RequestDirectives& directives,
                                 UnixMillis now_ms);

// Whole seconds; the age is never negative, what remains of its life is, rounded down, where the
// answer is stale.
[[nodiscard]] std::int64_t age_s(const Entry& entry, UnixMillis now_ms);
[[nodiscard]] std::int64_t remaining_ttl_s(const Entry& entry, UnixMillis now_ms);

// Why an answer with this head will not be stored, whatever its body; empty where it may be.
[[nodiscard]] std::optional<StoreRefusal> judge_head(const http::ResponseHead& head,
                                                     AnswerForm wanted);

struct Lifetimes {
  std::uint64_t ttl_ms = 0;    // 0: not stored
  std::uint64_t stale_ms = 0;  // how long it is kept after that

  friend bool operator==(const Lifetimes&, const Lifetimes&) = default;
};
// Of an answer stored for this request. Both together are no longer than its tenant has it. Equal
// on every instance that has the same rules.
[[nodiscard]] Lifetimes lifetimes_for(const RequestDirectives& directives,
                                      const CachePolicy& policy, const KeyDigest& key);

struct AnswerToStore {
  std::string content;
  std::string content_type;
  AnswerReview review;
  Lifetimes life;
  std::vector<std::string> tags;
};
[[nodiscard]] EntryPtr make_entry(AnswerToStore answer, UnixMillis now_ms);

}  // namespace llm_edge_cache::proxy
