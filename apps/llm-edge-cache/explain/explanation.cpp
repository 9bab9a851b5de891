#include "explain/explanation.hpp"

#include <algorithm>
#include <utility>

#include "core/parsed_json.hpp"
#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/request_decision.hpp"
#include "proxy/request_traits.hpp"

namespace llm_edge_cache::app {

namespace {

std::vector<std::string> present(const std::vector<std::string>& names,
                                 const http::Headers& headers) {
  std::vector<std::string> found;
  std::ranges::copy_if(names, std::back_inserter(found),
                       [&](const std::string& name) { return headers.contains(name); });
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

class Explainer {
 public:
  Explainer(const ServeConfig& config, const std::string& scope_secret,
            const http::RequestHead& head, std::string_view body)
      : config_(config),
        options_(config.proxy_options(scope_secret)),
        is_key_known_(options_.scope == proxy::ScopeMode::kShared || !scope_secret.empty()),
        head_(head),
        body_(body),
        keyer_(options_) {}

  Explanation explain() {
    describe_surroundings();
    const auto* const dialect = dialects_.find(head_.method, head_.path());
    if (dialect == nullptr) {
      explanation_.objection = "nothing of that path is cached: it is passed through";
      return std::move(explanation_);
    }
    explanation_.is_known_endpoint = true;
    auto directives = proxy::parse_request_directives(head_.headers);
    if (!directives) {
      explanation_.refusal = directives.error().message;
      explanation_.objection = "the request is refused";
      return std::move(explanation_);
    }
    const proxy::TenantTable tenants(options_.tenants);
    const auto found = tenants.find(head_.headers);
    if (is_refused_as_unknown(tenants, found, options_.admission.unknown_keys)) {
      explanation_.refusal = "no gateway key of one tenant";
      explanation_.objection = "the request is refused";
      return std::move(explanation_);
    }
    if (found.tenant != nullptr) {
      found.tenant->apply_to(*directives);
      explanation_.credential_limits.reset();
    }
    explanation_.name_space = directives->name_space;
    const auto status = dialect == &dialects_.embeddings() ? decide_in_parts(*dialect, *directives)
                                                           : decide(*dialect, *directives);
    if (!status) {
      explanation_.why_no_key = status.error().message;
      explanation_.objection = "it has no key, and is passed through: " + status.error().message;
      return std::move(explanation_);
    }
    explanation_.decision->keyless_members = members_among(keyer_.keyless_members(*dialect), body_);
    explanation_.objection = objection_of(*directives, *explanation_.decision);
    hide_what_cannot_be_known(*directives);
    return std::move(explanation_);
  }

 private:
  void describe_surroundings() {
    explanation_.path = head_.path();
    explanation_.scope = options_.scope;
    if (options_.scope == proxy::ScopeMode::kHeader &&
        head_.headers.contains(options_.scope_header)) {
      explanation_.credential_headers = {options_.scope_header};
    } else if (options_.scope != proxy::ScopeMode::kShared) {
      explanation_.credential_headers = present(options_.credential_headers, head_.headers);
    }
    if (options_.admission.credentials.any()) {
      explanation_.credential_limits = options_.admission.credentials;
    }
    explanation_.key_headers = present(options_.key_headers, head_.headers);
    explanation_.l1_ttl_ms = config_.l1_ttl_seconds * 1'000;
    explanation_.l1_tti_ms = config_.l1_tti_seconds * 1'000;
    if (config_.has_l2()) explanation_.l2_ttl_ms = config_.l2_ttl_seconds * 1'000;
  }

  Status decide(const proxy::Dialect& dialect, const proxy::RequestDirectives& directives) {
    const auto surroundings = keyer_.surroundings_of(head_, proxy::KeySpace(directives));
    const auto decided =
        proxy::decide_request(keyer_, {dialect, head_, surroundings, body_}, directives);
    if (!decided) return decided.error();
    explanation_.keys = {to_hex(decided->request.key)};
    auto& decision = begin_decision(decided->request.wish, decided->request.rule);
    decision.plan = decided->plan;
    decision.life = decided->life;
    return {};
  }

  // As embedding_flow.hpp does.
  Status decide_in_parts(const proxy::Dialect& dialect,
                         const proxy::RequestDirectives& directives) {
    const auto batch =
        proxy::EmbeddingBatch::read(keyer_, dialect, head_, proxy::KeySpace(directives), body_);
    if (!batch) return batch.error();
    for (const auto slot : batch->missing()) {
      explanation_.keys.push_back(to_hex(batch->key_of(slot)));
    }
    auto& decision = begin_decision({}, keyer_.rule_of(head_, {}, batch->request_body()));
    decision.is_in_parts = true;
    decision.plan = proxy::plan_request(directives, decision.policy);
    decision.life = {proxy::lifetimes_for(directives, decision.policy, batch->key()).ttl_ms, 0};
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

  // Without the secret the key is another, and so is what follows from it.
  void hide_what_cannot_be_known(const proxy::RequestDirectives& directives) {
    if (is_key_known_) return;
    explanation_.keys.clear();
    explanation_.why_no_key =
        "it depends on the secret of scopes, which is not known here: give --scope-secret-file or "
        "LLM_EDGE_CACHE_SCOPE_SECRET";
    auto& decision = *explanation_.decision;
    auto without_jitter = decision.policy;
    without_jitter.ttl_jitter_percent = 0;
    decision.life.ttl_ms = proxy::lifetimes_for(directives, without_jitter, {}).ttl_ms;
  }

  const ServeConfig& config_;
  const proxy::ProxyOptions options_;
  const bool is_key_known_;
  const http::RequestHead& head_;
  const std::string_view body_;
  const proxy::Dialects dialects_;
  proxy::RequestKeyer keyer_;
  Explanation explanation_;
};

}  // namespace

Explanation explain(const ServeConfig& config, const std::string& scope_secret,
                    const http::RequestHead& head, std::string_view body) {
  return Explainer(config, scope_secret, head, body).explain();
}

}  // namespace llm_edge_cache::app
