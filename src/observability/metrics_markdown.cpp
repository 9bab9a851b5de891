#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::observability {

namespace {

struct Label {
  std::string name;
  std::vector<std::string> values;  // without those that the outside names
};

struct Family {
  std::string name;
  std::string type;
  std::string help;
  std::vector<Label> labels;
};

struct Meaning {
  std::string_view family;
  std::string_view value;  // of its last label
  std::string_view text;
};

// Of values whose names do not say enough.
constexpr auto kMeanings = std::to_array<Meaning>({
    {"llm_edge_cache_errors_total", "unavailable",
     "no connection, or refused by an open circuit breaker"},
    {"llm_edge_cache_errors_total", "timeout", "no answer within the operation's deadline"},
    {"llm_edge_cache_errors_total", "protocol",
     "the store answered with an error, or with nonsense"},
    {"llm_edge_cache_errors_total", "corrupt",
     "an entry that does not verify, or whose version, key or dictionary is not at hand; deleted"},
    {"llm_edge_fleet_messages_total", "sent", "the store took it"},
    {"llm_edge_fleet_messages_total", "received", "of another proxy"},
    {"llm_edge_fleet_messages_total", "unreadable", "not of our form; ignored"},
    {"llm_edge_fleet_messages_total", "overflow",
     "too many keys waited to be told: one message said \"all\" in their place"},
    {"llm_edge_fleet_flights_total", "lease", "this proxy asked the provider for all"},
    {"llm_edge_fleet_flights_total", "wait", "this proxy waited for another one"},
    {"llm_edge_fleet_flights_total", "landed", "of the waits: the other's answer was found"},
    {"llm_edge_fleet_flights_total", "takeover", "of the waits: the other lost its lease"},
    {"llm_edge_fleet_flights_total", "superseded",
     "an answer was not stored, for the lease had been lost"},
    {"llm_edge_cache_outcomes_total", "l1_hit", "memory had it"},
    {"llm_edge_cache_outcomes_total", "l2_hit", "the second store had it"},
    {"llm_edge_cache_outcomes_total", "l3_hit",
     "reserved for a tier that answers by meaning, which is not there yet: always 0"},
    {"llm_edge_cache_outcomes_total", "coalesced", "another request's call answered"},
    {"llm_edge_cache_outcomes_total", "stale", "past its life, served on purpose"},
    {"llm_edge_cache_outcomes_total", "miss", "looked up, and nothing there would do"},
    {"llm_edge_cache_outcomes_total", "bypass",
     "not looked up; docs/architecture.md has each case"},
    {"llm_edge_cache_refused_answers_total", "not_asked",
     "the request, a rule or the endpoint keeps nothing, or the answer is one caller's own (it "
     "repeats `metadata`, or hands out a `container`)"},
    {"llm_edge_cache_refused_answers_total", "status", "not 200"},
    {"llm_edge_cache_refused_answers_total", "content_type",
     "not JSON, or not the event stream, that the request asked for"},
    {"llm_edge_cache_refused_answers_total", "encoding", "compressed, which nobody asked for"},
    {"llm_edge_cache_refused_answers_total", "too_large",
     "over `--max-entry-bytes`, or in so many tiny pieces that keeping them takes more; of "
     "embeddings also an answer over 128 MiB"},
    {"llm_edge_cache_refused_answers_total", "truncated", "it broke off"},
    {"llm_edge_cache_refused_answers_total", "malformed", "not what the endpoint calls an answer"},
    {"llm_edge_cache_refused_answers_total", "error_in_answer", "status 200, an error inside"},
    {"llm_edge_cache_refused_answers_total", "unfinished",
     "no terminal event, or no finish reason"},
    {"llm_edge_cache_refused_answers_total", "finish_reason",
     "ended by a limit or a filter (docs/dialects.md)"},
    {"llm_edge_cache_refused_answers_total", "purged",
     "asked for before a purge, or before another process stored a younger answer"},
    {"llm_edge_cache_refused_answers_total", "took_too_long",
     "longer than the deadlines of the first byte and of the next one together"},
    {"llm_edge_cache_refused_answers_total", "unforeseen",
     "of a shape that our code did not expect: a bug of ours"},
    {"llm_edge_upstream_requests_total", "ok", "an answer of a status below 500"},
    {"llm_edge_upstream_requests_total", "server_error", "an answer of status 500 or above"},
    {"llm_edge_upstream_requests_total", "connect_failed",
     "no connection, TLS included, or all that there may be were busy"},
    {"llm_edge_upstream_requests_total", "timeout",
     "a deadline passed: of the connection, of the first byte, or within the answer"},
    {"llm_edge_upstream_requests_total", "broken",
     "closed before the answer was whole, or not HTTP"},
    {"llm_edge_upstream_requests_total", "abandoned",
     "given up, since nobody wanted the answer any more; or not made: over the caller's rate "
     "(of embeddings not counted), or while the proxy stopped"},
    {"llm_edge_upstream_attempts_total", "ok", "an answer began, of no status below"},
    {"llm_edge_upstream_attempts_total", "rate_limited", "429"},
    {"llm_edge_upstream_attempts_total", "server_error", "500 and above"},
    {"llm_edge_upstream_attempts_total", "connect_failed", "no connection, TLS included"},
    {"llm_edge_upstream_attempts_total", "timeout",
     "no connection, or no first byte, within its deadline"},
    {"llm_edge_upstream_attempts_total", "broken", "closed before an answer began, or not HTTP"},
});

// One of everything that has labels. What the outside names has no name here.
CacheReport report_of_all() {
  CacheReport report;
  report.l2.emplace();
  report.proxy.tokens_saved_by_model[""] = 1;
  report.upstreams.emplace_back();
  report.tenants.emplace_back();
  return report;
}

bool has_meanings(const Family& family) {
  return std::ranges::any_of(kMeanings,
                             [&](const Meaning& one) { return one.family == family.name; });
}

// "name{label="value",other="value"} 1": values of ours need no escapes.
void read_sample(Family& family, std::string_view line) {
  while (true) {
    const auto quote = line.find('"');
    if (quote == std::string_view::npos) return;
    const auto begin = line.substr(0, quote).find_last_of("{,") + 1;
    const auto name = line.substr(begin, quote - 1 - begin);
    const auto end = line.find('"', quote + 1);
    const auto value = line.substr(quote + 1, end - quote - 1);
    line.remove_prefix(end + 1);
    if (name == "le") continue;  // every histogram's
    auto label = std::ranges::find(family.labels, name, &Label::name);
    if (label == family.labels.end()) {
      label = family.labels.insert(label, {std::string(name), {}});
    }
    if (!value.empty() && std::ranges::find(label->values, value) == label->values.end()) {
      label->values.emplace_back(value);
    }
  }
}

std::vector<Family> families_of(std::string_view text) {
  constexpr std::string_view kHelp = "# HELP ";
  constexpr std::string_view kType = "# TYPE ";
  std::vector<Family> families;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (line.starts_with(kHelp)) {
      line.remove_prefix(kHelp.size());
      const auto name = line.substr(0, line.find(' '));
      families.push_back({std::string(name), "", std::string(line.substr(name.size() + 1)), {}});
    } else if (line.starts_with(kType)) {
      families.back().type = line.substr(line.rfind(' ') + 1);
    } else {
      read_sample(families.back(), line);
    }
  }
  return families;
}

// "`tier` (l1, l2), `model`"
std::string labels_text(const Family& family) {
  std::string text;
  for (const auto& label : family.labels) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", label.name);
    const bool is_told_below = &label == &family.labels.back() && has_meanings(family);
    if (label.values.empty() || is_told_below) continue;
    for (const auto& value : label.values) {
      text += (&value == &label.values.front() ? " (" : ", ") + value;
    }
    text += ')';
  }
  return text;
}

std::string meaning_of(const Family& family, std::string_view value) {
  const auto* const found = std::ranges::find_if(kMeanings, [&](const Meaning& one) {
    return one.family == family.name && one.value == value;
  });
  return found == kMeanings.end() ? std::string() : std::string(found->text);
}

// Those that are explained and not printed, too, so that a test finds them.
std::vector<std::string> values_to_explain(const Family& family) {
  auto values = family.labels.back().values;
  for (const auto& one : kMeanings) {
    if (one.family == family.name && std::ranges::find(values, one.value) == values.end()) {
      values.emplace_back(one.value);
    }
  }
  return values;
}

std::string values_text(const std::vector<Family>& families) {
  std::string out;
  for (const auto& family : families) {
    if (!has_meanings(family)) continue;
    const auto& label = family.labels.back().name;
    out += fmt::format("\n## `{0}` of `{1}`\n\n| {0} | |\n|---|---|\n", label, family.name);
    for (const auto& value : values_to_explain(family)) {
      out += fmt::format("| `{}` | {} |\n", value, meaning_of(family, value));
    }
  }
  return out;
}

}  // namespace

std::string metrics_markdown() {
  const auto families = families_of(metrics_text(report_of_all()));
  std::string out =
      "# Metrics\n\n"
      "What `GET /metrics` on the admin listener prints, for Prometheus. Names, types and labels "
      "are a contract: a change is a breaking\n"
      "one, and stands in CHANGELOG.md. Counts begin with the process. `tier=\"l2\"` is there "
      "with a second store alone; histograms have\n"
      "`le` besides.\n\n"
      "In brackets stand all the values of a label. Values that need a word are explained below "
      "the "
      "table; those of other labels come from\n"
      "your configuration, your providers or the build.\n\n"
      "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const auto& family : families) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", family.name, family.type, labels_text(family),
                       family.help);
  }
  return out + values_text(families);
}

}  // namespace llm_edge_cache::observability
