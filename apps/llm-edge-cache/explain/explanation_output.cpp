#include <fmt/format.h>
#include <fmt/ranges.h>

#include "explain/explanation.hpp"

namespace llm_edge_cache::app {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kShortKeyDigits = 16;

std::string_view to_string(proxy::ScopeMode scope) {
  switch (scope) {
    case proxy::ScopeMode::kShared:
      return "shared";
    case proxy::ScopeMode::kHeader:
      return "header";
    case proxy::ScopeMode::kCredential:
      break;
  }
  return "credential";
}

OrderedJson text_or_null(const std::string& text) {
  return text.empty() ? OrderedJson() : OrderedJson(text);
}

OrderedJson keys_to_json(const std::vector<std::string>& keys) {
  auto list = OrderedJson::array();
  for (const auto& key : keys) {
    list.push_back({{"key", key}, {"short", key.substr(0, kShortKeyDigits)}});
  }
  return list;
}

OrderedJson rule_to_json(const ExplainedDecision& decision) {
  if (!decision.rule) return {};
  return {{"number", decision.rule_number},
          {"origin", decision.rule->origin},
          {"name", text_or_null(decision.rule->rule.name)}};
}

OrderedJson scope_to_json(const Explanation& explanation) {
  const bool is_tenants = !explanation.tenant.empty();
  return {{"mode", is_tenants ? "tenant" : to_string(explanation.scope)},
          {"tenant", text_or_null(explanation.tenant)},
          {"tenant_namespace", text_or_null(explanation.tenant_space)},
          {"namespace", text_or_null(explanation.name_space)},
          {"credential_headers", explanation.credential_headers}};
}

OrderedJson refusal_to_json(const std::optional<proxy::ProxyError>& refusal) {
  if (!refusal) return {};
  return {{"status", refusal->status}, {"code", refusal->code}, {"message", refusal->message}};
}

OrderedJson decision_to_json(const ExplainedDecision& decision) {
  const auto& [model, path, samples, has_tools, is_streamed] = decision.traits;
  return {{"form", decision.is_streamed ? "stream" : "json"},
          {"traits",
           {{"model", model},
            {"path", path},
            {"temperature_above_zero", samples},
            {"tools", has_tools},
            {"stream", is_streamed}}},
          {"rule", rule_to_json(decision)},
          {"looks_up", decision.plan.may_look_up},
          {"shares_flight", decision.plan.may_share_flight},
          {"calls_provider", decision.plan.may_call_upstream},
          {"stores", decision.plan.may_store},
          {"ttl_ms", decision.plan.may_store ? decision.life.ttl_ms : 0},
          {"ttl_jitter_percent", decision.policy.ttl_jitter_percent},
          {"fresh_ms", decision.windows.fresh_ms},
          {"stale_while_revalidate_ms", decision.windows.stale_while_revalidate_ms},
          {"stale_at_once_ms", decision.windows.stale_at_once_ms},
          {"stale_if_error_ms", decision.windows.stale_if_error_ms},
          {"keyless_members", decision.keyless_members}};
}

std::string seconds(std::uint64_t ms) {
  return ms % 1'000 == 0 ? fmt::format("{} s", ms / 1'000)
                         : fmt::format("{:.3f} s", static_cast<double>(ms) / 1'000);
}

std::string list_or_none(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

class Lines {
 public:
  template <class Value>
  void add(std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{:<16} {}\n", name, value);
  }
  [[nodiscard]] std::string take() { return fmt::to_string(text_); }

 private:
  fmt::memory_buffer text_;
};

void add_keys(Lines& lines, const Explanation& explanation) {
  for (const auto& key : explanation.keys) {
    lines.add("key", fmt::format("{}  (short: {})", key, key.substr(0, kShortKeyDigits)));
  }
  if (explanation.keys.empty() && !explanation.why_no_key.empty()) {
    lines.add("key", fmt::format("none: {}", explanation.why_no_key));
  }
}

std::string owner_text(const Explanation& explanation) {
  if (!explanation.tenant.empty()) {
    const bool shares = explanation.tenant_space != explanation.tenant;
    return fmt::format("tenant '{}'", explanation.tenant) +
           (shares ? fmt::format(", who shares '{}'", explanation.tenant_space) : "");
  }
  std::string text(to_string(explanation.scope));
  if (explanation.scope != proxy::ScopeMode::kShared) {
    text += fmt::format(", by {}", explanation.credential_headers.empty()
                                       ? "the absence of any"
                                       : list_or_none(explanation.credential_headers));
  }
  return text;
}

std::string scope_text(const Explanation& explanation) {
  auto text = owner_text(explanation);
  if (!explanation.name_space.empty()) {
    text += fmt::format(", namespace '{}'", explanation.name_space);
  }
  return text;
}

std::string rule_text(const ExplainedDecision& decision) {
  if (!decision.rule) return "none matches: the defaults";
  const auto& name = decision.rule->rule.name;
  return name.empty() ? decision.rule->origin : fmt::format("{} '{}'", decision.rule->origin, name);
}

std::string traits_text(const proxy::RequestTraits& traits) {
  return fmt::format(
      "model '{}', temperature {}, {}, {}", traits.model, traits.samples ? "above zero" : "zero",
      traits.has_tools ? "tools" : "no tools", traits.is_streamed ? "stream" : "no stream");
}

std::string window_text(const ExplainedDecision& decision, std::uint64_t ms) {
  if (decision.is_in_parts) return "no: embeddings are never served stale";
  return ms == 0 ? "no" : fmt::format("for {}", seconds(ms));
}

void add_decision(Lines& lines, const ExplainedDecision& decision) {
  lines.add("rule", rule_text(decision));
  lines.add("it looks at", traits_text(decision.traits));
  lines.add("looked up", decision.plan.may_look_up ? "yes" : "no");
  lines.add("provider", decision.plan.may_call_upstream
                            ? (decision.plan.may_share_flight ? "one call for all who ask"
                                                              : "a call of its own")
                            : "never asked");
  lines.add("stored", decision.plan.may_store ? "where the answer is complete" : "no");
  if (decision.plan.may_store) {
    const auto jitter = decision.policy.ttl_jitter_percent;
    lines.add("ttl", jitter == 0 ? seconds(decision.life.ttl_ms)
                                 : fmt::format("{} (jitter of up to {} %)",
                                               seconds(decision.life.ttl_ms), jitter));
  }
  const auto& windows = decision.windows;
  if (decision.plan.may_look_up) {
    lines.add("fresh to it", fmt::format("until it is {} old", seconds(windows.fresh_ms)));
  }
  lines.add("stale, at once", window_text(decision, windows.stale_at_once_ms));
  lines.add("stale, on error", window_text(decision, windows.stale_if_error_ms));
  lines.add("not in the key", list_or_none(decision.keyless_members));
}

std::string tiers_text(const Explanation& explanation) {
  const auto limit = [](std::uint64_t ms) { return ms == 0 ? "no limit" : seconds(ms); };
  auto text = fmt::format("memory {}, {} unread", limit(explanation.l1_ttl_ms),
                          limit(explanation.l1_tti_ms));
  if (explanation.l2_ttl_ms) text += fmt::format("; store {}", seconds(*explanation.l2_ttl_ms));
  return text;
}

std::string limits_text(const proxy::CredentialLimits& limits) {
  std::vector<std::string> parts;
  if (limits.rate.per_1000_s != 0) {
    parts.push_back(fmt::format("{} requests a second, {} at once after a rest",
                                static_cast<double>(limits.rate.per_1000_s) / 1'000,
                                limits.rate.burst));
  }
  if (limits.max_concurrent != 0)
    parts.push_back(fmt::format("{} under way", limits.max_concurrent));
  return fmt::format("{}", fmt::join(parts, "; "));
}

OrderedJson limits_to_json(const std::optional<proxy::CredentialLimits>& limits) {
  if (!limits) return {};
  return {{"requests_per_second", static_cast<double>(limits->rate.per_1000_s) / 1'000},
          {"burst", limits->rate.burst},
          {"max_concurrent", limits->max_concurrent}};
}

std::string verdict(const Explanation& explanation) {
  return explanation.objection.empty() ? "yes" : fmt::format("no: {}", explanation.objection);
}

}  // namespace

nlohmann::ordered_json to_json(const Explanation& explanation) {
  OrderedJson json = {{"path", explanation.path},
                      {"known_endpoint", explanation.is_known_endpoint},
                      {"cached", explanation.objection.empty()},
                      {"reason", text_or_null(explanation.objection)},
                      {"error", refusal_to_json(explanation.refusal)},
                      {"keys", keys_to_json(explanation.keys)},
                      {"why_no_key", text_or_null(explanation.why_no_key)},
                      {"scope", scope_to_json(explanation)},
                      {"key_headers", explanation.key_headers},
                      {"credential_limits", limits_to_json(explanation.credential_limits)},
                      {"tiers",
                       {{"l1_ttl_ms", explanation.l1_ttl_ms},
                        {"l1_tti_ms", explanation.l1_tti_ms},
                        {"l2_ttl_ms", explanation.l2_ttl_ms ? OrderedJson(*explanation.l2_ttl_ms)
                                                            : OrderedJson()}}}};
  json["decision"] = explanation.decision ? decision_to_json(*explanation.decision) : OrderedJson();
  return json;
}

std::string to_text(const Explanation& explanation) {
  Lines lines;
  lines.add("path", explanation.path);
  lines.add("cached", verdict(explanation));
  if (const auto& error = explanation.refusal) {
    lines.add("error", fmt::format("{} ({} {})", error->message, error->status, error->code));
  }
  add_keys(lines, explanation);
  lines.add("scope", scope_text(explanation));
  lines.add("also in the key", list_or_none(explanation.key_headers));
  if (explanation.credential_limits) {
    lines.add("its credential", limits_text(*explanation.credential_limits));
  }
  if (explanation.decision) add_decision(lines, *explanation.decision);
  lines.add("tiers keep it", tiers_text(explanation));
  return lines.take();
}

}  // namespace llm_edge_cache::app
