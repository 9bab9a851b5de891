#include "explain/explanation.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/parsed_json.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/credential_caller.hpp"
#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/request_decision.hpp"
#include "proxy/request_traits.hpp"
#include "proxy/tenant_table.hpp"
#include "serve/scope_secret.hpp"

namespace llm_edge_cache::app {

namespace {

// What Connection names does not go upstream, and vouches for nothing.
std::vector<std::string> present(const std::vector<std::string>& names,
                                 const http::Headers& headers) {
  std::vector<std::string> found;
  std::ranges::copy_if(names, std::back_inserter(found), [&](const std::string& name) {
    return headers.contains(name) && !headers.has_token("connection", name);
  });
  return found;
}

std::vector<std::string> members_among(const std::vector<std::string>& names,
                                       std::string_view body) {
  const auto request = proxy::parse_answer_json(body);
  std::vector<std::string> found;
  if (!request) return found;
  std::ranges::copy_if(names, std::back_inserter(found),
                       [&](const std::string& name) { return request->contains(name); });
  return found;
}

std::string objection_of(const proxy::RequestDirectives& directives,
                         const ExplainedDecision& decision) {
  if (!decision.policy.is_cached) return "the rule says never";
  if (directives.no_store) return "the request says no-store";
  if (directives.ttl_ms == 0U) return "the request says x-llm-cache-ttl: 0";
  if (directives.only_if_cached) return "the request says only-if-cached: nothing is asked for";
  return {};
}

// The first of the times [from, to) at which it does not hold, where it holds for none after it.
template <class Holds>
UnixMillis end_of(UnixMillis from, UnixMillis to, Holds holds) {
  while (from < to) {
    const auto middle = std::midpoint(from, to);
    if (holds(middle)) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

// A window that the request gives in seconds has its last millisecond in it.
std::uint64_t length_of(UnixMillis from, UnixMillis to) {
  const auto ms = static_cast<std::uint64_t>(to - from);
  return ms % 1'000 == 1 ? ms - 1 : ms;
}

// Asks the proxy's own functions when they would give an answer that was stored at 0.
ServingWindows windows_of(const ExplainedDecision& decision,
                          const proxy::RequestDirectives& directives,
                          const proxy::Lifetimes& life) {
  if (!decision.plan.may_look_up) return {};
  proxy::AnswerToStore answer;
  answer.life = life;
  const auto entry = proxy::make_entry(std::move(answer), 0);
  const auto end = entry->end_ms();
  const auto fresh_end =
      end_of(0, end, [&](UnixMillis now) { return proxy::is_acceptable(*entry, directives, now); });
  const auto reason_at = [&](UnixMillis now) {
    return proxy::reason_to_serve(*entry, directives, decision.policy, now);
  };
  const auto refreshed_end = end_of(entry->expires_ms, end, [&](UnixMillis now) {
    return reason_at(now) == proxy::ServeReason::kStaleWhileRevalidate;
  });
  const auto at_once_end =
      end_of(entry->expires_ms, end, [&](UnixMillis now) { return reason_at(now).has_value(); });
  const auto error_end = end_of(fresh_end, end, [&](UnixMillis now) {
    return decision.plan.may_call_upstream &&
           proxy::may_serve_after_failure(*entry, directives, decision.policy, now);
  });
  return {.fresh_ms = static_cast<std::uint64_t>(fresh_end),
          .stale_while_revalidate_ms = length_of(entry->expires_ms, refreshed_end),
          .stale_at_once_ms = length_of(entry->expires_ms, at_once_end),
          .stale_if_error_ms = length_of(fresh_end, error_end)};
}

class Explainer {
 public:
  Explainer(const ServeConfig& config, const std::string& scope_secret,
            const http::RequestHead& head, std::string_view body)
      : config_(config),
        options_(config.proxy_options(scope_secret)),
        head_(head),
        body_(body),
        dialect_(dialects_.find(head.method, head.path())),
        keyer_(options_),
        tenants_(options_.tenants),
        found_(tenants_.find(head.headers)) {}

  Explanation explain() {
    describe_surroundings();
    explain_in_order();
    return std::move(explanation_);
  }

 private:
  void describe_surroundings() {
    explanation_.path = head_.path();
    explanation_.is_known_endpoint = dialect_ != nullptr;
    explanation_.scope = options_.scope;
    if (found_.tenant != nullptr) {
      explanation_.tenant = found_.tenant->options.name;
      explanation_.tenant_space = found_.tenant->options.space();
    } else {
      describe_credentials();
    }
    explanation_.key_headers = present(options_.key_headers, head_.headers);
    explanation_.l1_ttl_ms = config_.l1_ttl_seconds * 1'000;
    explanation_.l1_tti_ms = config_.l1_tti_seconds * 1'000;
    if (config_.has_l2()) explanation_.l2_ttl_ms = config_.l2_ttl_seconds * 1'000;
  }

  void describe_credentials() {
    if (options_.scope == proxy::ScopeMode::kHeader &&
        head_.headers.contains(options_.scope_header)) {
      explanation_.credential_headers = {options_.scope_header};
    } else if (options_.scope != proxy::ScopeMode::kShared) {
      explanation_.credential_headers = present(options_.credential_headers, head_.headers);
    }
    if (options_.admission.credentials.any()) {
      explanation_.credential_limits = options_.admission.credentials;
    }
  }

  // As the proxy goes: who asks, where to, with which words of its own, for what.
  void explain_in_order() {
    if (auto refusal = refusal_of_caller()) return refuse(*std::move(refusal));
    if (dialect_ == nullptr) {
      return pass_through("nothing of that path is cached: it is passed through");
    }
    auto directives = proxy::parse_request_directives(head_.headers);
    if (!directives) return refuse(proxy::directive_error(directives.error()));
    if (found_.tenant != nullptr) found_.tenant->apply_to(*directives);
    explanation_.name_space = directives->name_space;
    const auto status =
        dialect_ == &dialects_.embeddings() ? decide_in_parts(*directives) : decide(*directives);
    if (status.ok()) {
      explain_decision(*directives);
    } else {
      explain_without_key(*directives, status.error().message);
    }
  }

  [[nodiscard]] std::optional<proxy::ProxyError> refusal_of_caller() const {
    if (is_refused_as_unknown(tenants_, found_, options_.admission.unknown_keys)) {
      return proxy::unknown_key_error();
    }
    if (explanation_.credential_limits &&
        proxy::credentials_in(head_.headers, options_.credential_headers).size() >
            proxy::kMaxCallerCredentials) {
      return proxy::too_many_credentials_error();
    }
    return std::nullopt;
  }

  void refuse(proxy::ProxyError error) {
    explanation_.refusal = std::move(error);
    explanation_.objection = "the request is refused";
  }

  void pass_through(std::string why) {
    if (!keyer_.upstream_of(head_, body_)) return refuse(proxy::no_upstream_error());
    explanation_.objection = std::move(why);
  }

  void explain_without_key(const proxy::RequestDirectives& directives, const std::string& why) {
    explanation_.why_no_key = why;
    if (directives.only_if_cached) return refuse(proxy::not_cached_error());
    pass_through("it has no key, and is passed through: " + why);
  }

  Status decide(const proxy::RequestDirectives& directives) {
    const auto surroundings = keyer_.surroundings_of(head_, proxy::KeySpace(directives));
    const auto decided =
        proxy::decide_request(keyer_, {*dialect_, head_, surroundings, body_}, directives);
    if (!decided) return decided.error();
    keys_ = {decided->request.key};
    begin_decision(decided->request.wish, decided->request.rule).plan = decided->plan;
    return {};
  }

  // As embedding_flow.hpp does.
  Status decide_in_parts(const proxy::RequestDirectives& directives) {
    const auto batch =
        proxy::EmbeddingBatch::read(keyer_, *dialect_, head_, proxy::KeySpace(directives), body_);
    if (!batch) return batch.error();
    keys_ = batch->keys();
    auto& decision = begin_decision({}, keyer_.rule_of(head_, {}, batch->request_body()));
    decision.is_in_parts = true;
    decision.plan = proxy::plan_request(directives, decision.policy);
    return {};
  }

  ExplainedDecision& begin_decision(proxy::AnswerWish wish, proxy::CacheRules::Index rule) {
    auto& decision = explanation_.decision.emplace();
    decision.is_streamed = wish.form == proxy::AnswerForm::kStream;
    const auto request = ParsedJson::parse(body_);
    decision.traits = proxy::read_request_traits(
        head_.path(), wish, request.ok() ? proxy::JsonView::of(*request) : proxy::JsonView());
    if (keyer_.rules().rule(rule) != nullptr) {
      decision.rule = config_.rules[rule];
      decision.rule_number = rule + 1U;
    }
    decision.policy = keyer_.rules().policy(rule);
    return decision;
  }

  void explain_decision(const proxy::RequestDirectives& directives) {
    auto& decision = *explanation_.decision;
    decision.life = life_under(directives);
    auto words_on_stored = directives;
    // Where its own is not kept it is given what others stored.
    if (!decision.plan.may_store) words_on_stored.ttl_ms.reset();
    decision.windows = windows_of(decision, directives, life_under(words_on_stored));
    decision.keyless_members = members_among(keyer_.keyless_members(*dialect_), body_);
    explanation_.objection = objection_of(directives, decision);
    if (!decision.plan.may_look_up && !decision.plan.may_call_upstream) {
      explanation_.refusal = proxy::not_cached_error();
    }
    tell_keys();
  }

  // Without the key the jitter is not known either: at most so long.
  [[nodiscard]] proxy::Lifetimes life_under(const proxy::RequestDirectives& directives) const {
    auto policy = explanation_.decision->policy;
    if (!is_key_known()) policy.ttl_jitter_percent = 0;
    auto life = proxy::lifetimes_for(directives, policy, keys_.front());
    for (const auto& key : keys_) {
      const auto of_key = proxy::lifetimes_for(directives, policy, key);
      if (of_key.ttl_ms < life.ttl_ms) life = of_key;
    }
    if (explanation_.decision->is_in_parts) life.stale_ms = 0;
    return life;
  }

  // A tenant's scope depends on the secret even where everybody else shares.
  [[nodiscard]] bool is_key_known() const {
    return !options_.scope_secret.empty() ||
           (options_.scope == proxy::ScopeMode::kShared && found_.tenant == nullptr);
  }

  void tell_keys() {
    if (is_key_known()) {
      for (const auto& key : keys_) explanation_.keys.push_back(to_hex(key));
    } else {
      explanation_.why_no_key =
          "it depends on the secret of scopes, which is not known here: give --scope-secret-file "
          "or LLM_EDGE_CACHE_SCOPE_SECRET";
    }
  }

  const ServeConfig& config_;
  const proxy::ProxyOptions options_;
  const http::RequestHead& head_;
  const std::string_view body_;
  const proxy::Dialects dialects_;
  const proxy::Dialect* const dialect_;  // null: the path is not cached
  proxy::RequestKeyer keyer_;
  const proxy::TenantTable tenants_;
  const proxy::TenantTable::Found found_;
  std::vector<KeyDigest> keys_;  // of what is stored for the request
  Explanation explanation_;
};

}  // namespace

Result<std::string> known_scope_secret(const ServeConfig& config) {
  const bool is_given = !config.scope_secret.empty() || !config.scope_secret_file.empty();
  if (!is_given && !config.has_l2()) return std::string();
  return find_scope_secret(config, default_secret_file());
}

Explanation explain(const ServeConfig& config, const std::string& scope_secret,
                    const http::RequestHead& head, std::string_view body) {
  return Explainer(config, scope_secret, head, body).explain();
}

}  // namespace llm_edge_cache::app
