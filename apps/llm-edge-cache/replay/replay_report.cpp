#include "replay/replay_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace llm_edge_cache::app {

namespace {

double per_second(std::size_t requests, std::uint64_t duration_ms) {
  if (duration_ms == 0) return 0;
  return 1'000.0 * static_cast<double>(requests) / static_cast<double>(duration_ms);
}

}  // namespace

std::string replay_json(const ReplayStats& stats, std::uint64_t duration_ms) {
  nlohmann::ordered_json latency = nlohmann::ordered_json::object();
  for (const auto& [outcome, of] : stats.latency_us()) {
    latency[outcome] = {
        {"count", of.count}, {"p50", of.p50}, {"p90", of.p90}, {"p99", of.p99}, {"max", of.max}};
  }
  const nlohmann::ordered_json json = {
      {"requests", stats.requests()},
      {"errors", stats.errors()},
      {"errors_by_kind", stats.errors_by_kind()},
      {"mismatches", stats.mismatches()},
      {"duration_ms", duration_ms},
      {"requests_per_second", per_second(stats.requests(), duration_ms)},
      {"hits", stats.hits()},
      {"hit_ratio", stats.hit_ratio()},
      {"hits_by_tier",
       {{"l1", stats.count(LookupOutcome::kL1Hit)},
        {"l2", stats.count(LookupOutcome::kL2Hit)},
        {"l3", stats.count(LookupOutcome::kL3Hit)}}},
      {"coalesced", stats.count(LookupOutcome::kCoalesced)},
      {"stale", stats.count(LookupOutcome::kStale)},
      {"misses", stats.count(LookupOutcome::kMiss)},
      {"bypassed", stats.count(LookupOutcome::kBypass)},
      {"latency_us", latency},
      {"tokens_saved", stats.tokens_saved()}};
  return json.dump(2) + "\n";
}

std::string replay_table(const ReplayStats& stats, std::uint64_t duration_ms) {
  std::string out = fmt::format(
      "requests      {:>10}   in {:.1f} s, {:.0f} a second\n"
      "errors        {:>10}\n",
      stats.requests(), static_cast<double>(duration_ms) / 1'000.0,
      per_second(stats.requests(), duration_ms), stats.errors());
  for (const auto& [kind, count] : stats.errors_by_kind()) {
    out += fmt::format("  {:<12}{:>10}\n", kind, count);
  }
  if (stats.mismatches() > 0) out += fmt::format("mismatches    {:>10}\n", stats.mismatches());
  out += fmt::format("hits          {:>10}   {:.2f} %\n", stats.hits(), 100 * stats.hit_ratio());
  out += fmt::format("tokens saved  {:>10}\n\n", stats.tokens_saved());
  out += fmt::format("{:<16}{:>10}{:>12}{:>12}{:>12}{:>12}\n", "outcome", "answers", "p50 us",
                     "p90 us", "p99 us", "max us");
  for (const auto& [outcome, of] : stats.latency_us()) {
    out += fmt::format("{:<16}{:>10}{:>12}{:>12}{:>12}{:>12}\n", outcome, of.count, of.p50, of.p90,
                       of.p99, of.max);
  }
  return out;
}

}  // namespace llm_edge_cache::app
