#include "replay/cache_outcome.hpp"

#include <string_view>

namespace llm_edge_cache::app {

namespace {

constexpr std::string_view kOurName = "llm-edge-cache";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = trimmed(text.substr(0, at));
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

struct Parameters {
  bool hit = false;
  bool collapsed = false;
  std::string_view forward;
  std::string_view detail;
};

Parameters parse_parameters(std::string_view text) {
  Parameters parameters;
  while (!text.empty()) {
    auto value = take_until(text, ';');
    const auto name = take_until(value, '=');
    if (name == "hit") parameters.hit = true;
    if (name == "collapsed") parameters.collapsed = true;
    if (name == "fwd") parameters.forward = value;
    if (name == "detail") parameters.detail = value;
  }
  return parameters;
}

// Whether the provider was asked or not.
bool is_stale(std::string_view detail) {
  return detail == "stale_while_revalidate" || detail == "max_stale" || detail == "stale_if_error";
}

LookupOutcome outcome_of(const Parameters& parameters) {
  if (is_stale(parameters.detail)) return LookupOutcome::kStale;
  if (parameters.hit) {
    if (parameters.detail == "l2") return LookupOutcome::kL2Hit;
    if (parameters.detail == "l3") return LookupOutcome::kL3Hit;
    return LookupOutcome::kL1Hit;
  }
  if (parameters.collapsed) return LookupOutcome::kCoalesced;
  // Without a reason it went nowhere: an error of the proxy's own.
  if (parameters.forward.empty() || parameters.forward == "bypass" ||
      parameters.forward == "request") {
    return LookupOutcome::kBypass;
  }
  return LookupOutcome::kMiss;
}

}  // namespace

std::optional<LookupOutcome> parse_cache_outcome(std::string_view header) {
  std::optional<LookupOutcome> outcome;
  while (!header.empty()) {
    auto member = take_until(header, ',');
    if (take_until(member, ';') == kOurName) outcome = outcome_of(parse_parameters(member));
  }
  return outcome;
}

}  // namespace llm_edge_cache::app
