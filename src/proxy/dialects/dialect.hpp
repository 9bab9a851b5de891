// Dialect: all that the proxy knows of one endpoint of one provider's API. A new endpoint is a new
// file pair that implements this, and a line in dialects.hpp.
//
// Thread-safe: a dialect has no state. Everything it returns is the caller's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/cached_response.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/dialects/json_view.hpp"
#include "proxy/proxy_metrics.hpp"

namespace llm_edge_cache::proxy {

// In which form an answer stands or is wanted.
enum class AnswerForm {
  kJson,    // one JSON body
  kStream,  // server-sent events
};

// What a request wants, beyond its key.
struct AnswerWish {
  AnswerForm form = AnswerForm::kJson;
  // In a stream: token usage was asked for in an event of its own. A JSON body always has it.
  bool include_usage = false;
  // In a stream: events are not to be padded (`stream_options.include_obfuscation` is false).
  bool without_padding = false;

  friend bool operator==(const AnswerWish&, const AnswerWish&) = default;
};

// What a recorded answer amounts to.
struct AnswerReview {
  // Empty where the answer is complete and may be stored.
  std::optional<StoreRefusal> refusal;
  std::string model;
  std::optional<TokenUsage> usage;
  std::string finish_reason;  // of the first choice
  // Nothing of the answer is missing, stored or not: its own form says where it ends.
  bool is_whole = false;
};

// An error of the proxy's own.
struct ProxyError {
  unsigned status = 502;
  std::string_view code;            // stable, snake_case
  std::string message;              // one sentence, without secrets
  std::uint64_t retry_after_s = 0;  // 0: not said
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // Of the requests that this dialect caches.
  [[nodiscard]] virtual bool matches(std::string_view method, std::string_view path) const = 0;

  // Top-level members of a request that cannot change the answer. Of static lifetime.
  [[nodiscard]] virtual const std::vector<std::string>& default_keyless_members() const = 0;

  // kInvalidArgument where the request is for the provider alone: it is no JSON object, says in no
  // way that we know in which form the answer is wanted, or refers to state that the provider
  // keeps, so that equal requests need not have equal answers.
  [[nodiscard]] virtual Result<AnswerWish> wish_of(JsonView request) const = 0;
  // The same of a body; kInvalidArgument where it is no JSON, too.
  [[nodiscard]] Result<AnswerWish> read_wish(std::string_view request_body) const;

  // Judges the bytes of a whole answer of status 200.
  [[nodiscard]] virtual AnswerReview review(AnswerForm form, std::string_view answer) const = 0;

  // A stored answer in the form that is wanted, derived from the form in which it was recorded.
  // kInvalidArgument where it cannot be derived without inventing or losing something; the request
  // then counts as a miss.
  // The result is empty where the recorded bytes answer the wish as they are.
  [[nodiscard]] virtual Result<std::optional<std::string>> adapt(AnswerForm recorded,
                                                                 std::string_view answer,
                                                                 AnswerWish wish) const = 0;

  [[nodiscard]] virtual std::string error_body(const ProxyError& error) const = 0;
};

}  // namespace llm_edge_cache::proxy
