#include "stats/stats_table.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

namespace llm_edge_cache::app {

namespace {

using Json = nlohmann::ordered_json;

std::string tier_rows(const Json& tiers) {
  auto out = fmt::format("{:<6}{:>12}{:>12}{:>10}{:>12}{:>12}{:>10}{:>10}\n", "tier", "hits",
                         "misses", "ratio", "writes", "entries", "dropped", "breaker");
  for (const auto& [name, tier] : tiers.items()) {
    const auto entries = tier.contains("entries") ? tier["entries"].dump() : "-";
    out += fmt::format(
        "{:<6}{:>12}{:>12}{:>8.2f} %{:>12}{:>12}{:>10}{:>10}\n", name,
        tier.at("hits").get<std::uint64_t>(), tier.at("misses").get<std::uint64_t>(),
        100 * tier.at("hit_ratio").get<double>(), tier.at("writes").get<std::uint64_t>(), entries,
        tier.at("dropped_writes").get<std::uint64_t>(), tier.at("breaker").get<std::string>());
  }
  return out;
}

std::string table_of(const Json& stats) {
  auto out = fmt::format(
      "llm-edge-cache {}, up {:.0f} s\nrequests {}, hits {:.2f} %\n\n",
      stats.at("version").get<std::string>(), stats.at("uptime_ms").get<double>() / 1'000.0,
      stats.at("requests").get<std::uint64_t>(), 100 * stats.at("hit_ratio").get<double>());
  out += tier_rows(stats.at("tiers")) + "\n";
  for (const auto& [outcome, count] : stats.at("outcomes").items()) {
    if (count != 0) out += fmt::format("{:<20}{:>12}\n", outcome, count.get<std::uint64_t>());
  }
  for (const auto& [model, tokens] : stats.at("tokens_saved").items()) {
    out += fmt::format("tokens saved of {:<20}{:>12}\n", model, tokens.get<std::uint64_t>());
  }
  return out;
}

}  // namespace

Result<std::string> stats_table(std::string_view json) {
  try {
    return table_of(Json::parse(json));
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kProtocol,
                 fmt::format("the admin listener's answer is not understood: {}", error.what())};
  }
}

}  // namespace llm_edge_cache::app
