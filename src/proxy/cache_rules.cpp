#include "proxy/cache_rules.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

CachePolicy policy_of(const CacheRule& rule, const CachePolicy& defaults) {
  CachePolicy policy = defaults;
  policy.is_cached = rule.is_cached;
  policy.ttl_ms = rule.ttl_ms.value_or(rule.max_ttl_ms ? std::min(defaults.ttl_ms, *rule.max_ttl_ms)
                                                       : defaults.ttl_ms);
  policy.max_ttl_ms = rule.max_ttl_ms.value_or(rule.ttl_ms ? *rule.ttl_ms : defaults.max_ttl_ms);
  policy.stale_while_revalidate_ms =
      rule.stale_while_revalidate_ms.value_or(defaults.stale_while_revalidate_ms);
  policy.stale_if_error_ms = rule.stale_if_error_ms.value_or(defaults.stale_if_error_ms);
  policy.ttl_jitter_percent = rule.ttl_jitter_percent.value_or(defaults.ttl_jitter_percent);
  return policy;
}

Status validate_policy(const CachePolicy& policy) {
  if (policy.ttl_ms == 0 || policy.ttl_ms > kLongestLifeMs) {
    return invalid("ttl_ms must be from 1 to a hundred years");
  }
  if (policy.max_ttl_ms < policy.ttl_ms || policy.max_ttl_ms > kLongestLifeMs) {
    return invalid("max_ttl_ms must be from ttl_ms to a hundred years");
  }
  if (policy.stale_while_revalidate_ms > kLongestLifeMs) {
    return invalid("stale_while_revalidate_ms must be at most a hundred years");
  }
  if (policy.stale_if_error_ms > kLongestLifeMs) {
    return invalid("stale_if_error_ms must be at most a hundred years");
  }
  if (policy.ttl_jitter_percent > 100) {
    return invalid("ttl_jitter_percent must be at most 100");
  }
  return {};
}

Status validate_rule(const CacheRule& rule, const CachePolicy& defaults) {
  if (rule.model.size() > kMaxGlobBytes) {
    return invalid("model must be at most " + std::to_string(kMaxGlobBytes) + " bytes long");
  }
  if (rule.path.size() > kMaxGlobBytes) {
    return invalid("path must be at most " + std::to_string(kMaxGlobBytes) + " bytes long");
  }
  const bool gives_times = rule.ttl_ms || rule.max_ttl_ms || rule.stale_while_revalidate_ms ||
                           rule.stale_if_error_ms || rule.ttl_jitter_percent;
  if (!rule.is_cached && gives_times) {
    return invalid("what is never cached has neither a life nor a window");
  }
  return validate_policy(policy_of(rule, defaults));
}

bool agrees(const std::optional<bool>& wanted, bool is) {
  return !wanted || *wanted == is;
}

}  // namespace

std::uint64_t CachePolicy::stale_ms() const {
  return std::max(stale_while_revalidate_ms, stale_if_error_ms);
}

bool CacheRule::matches(const RequestTraits& traits) const {
  return (model.empty() || glob_matches(model, traits.model)) &&
         (path.empty() || glob_matches(path, traits.path)) && agrees(samples, traits.samples) &&
         agrees(has_tools, traits.has_tools) && agrees(is_streamed, traits.is_streamed);
}

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t at_glob = 0;
  std::size_t at_text = 0;
  // Behind the last star, and the text that this star has to reach at least.
  std::size_t after_star = std::string_view::npos;
  std::size_t star_reaches = 0;
  while (at_text < text.size()) {
    if (at_glob < glob.size() && glob[at_glob] == '*') {
      after_star = ++at_glob;
      star_reaches = at_text;
    } else if (at_glob < glob.size() && (glob[at_glob] == '?' || glob[at_glob] == text[at_text])) {
      ++at_glob;
      ++at_text;
    } else if (after_star != std::string_view::npos) {
      at_glob = after_star;
      at_text = ++star_reaches;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at_glob) == std::string_view::npos;
}

CacheRules::CacheRules(const CachePolicy& defaults, std::vector<CacheRule> rules)
    : rules_(std::move(rules)) {
  for (const auto& rule : rules_) {
    policies_.push_back(policy_of(rule, defaults));
  }
  policies_.push_back(defaults);
}

Status CacheRules::validate(const CachePolicy& defaults, const std::vector<CacheRule>& rules) {
  if (auto status = validate_policy(defaults); !status.ok()) {
    return status;
  }
  if (rules.size() > kMaxRules) {
    return invalid("there may be at most " + std::to_string(kMaxRules) + " rules");
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (const auto status = validate_rule(rules[i], defaults); !status.ok()) {
      return invalid("rule " + std::to_string(i + 1) + ": " + status.error().message);
    }
  }
  return {};
}

CacheRules::Index CacheRules::match(const RequestTraits& traits) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const CacheRule& rule) { return rule.matches(traits); });
  return static_cast<Index>(found - rules_.begin());
}

const CacheRule* CacheRules::rule(Index index) const {
  return index < rules_.size() ? &rules_[index] : nullptr;
}

}  // namespace llm_edge_cache::proxy
