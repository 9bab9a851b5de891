// Hit ratios of the real engine on the reference traces, beside the published ones.
//
// One thread, maintenance inline: a get for each key and a put where it misses. Exit status: 0 when
// both targets are met, 1 when one is missed, 2 when it could not be run.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "llm_edge_cache/engine/cache.hpp"
#include "reference_table.hpp"
#include "trace_file.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr const char* kMoka = "moka";
constexpr const char* kQuickCache = "quick_cache";
constexpr const char* kCaffeine = "caffeine-v3.2.4";
/// The targets, in points: the mean above Caffeine's, and how far a cell may be below its best
/// rival.
constexpr double kLeastLead = 1.0;
constexpr double kMostBehind = 2.0;

struct Arguments {
  std::filesystem::path traces;
  std::uint64_t seeds = 1;
  bool json = false;
};

struct Measured {
  ReferenceCell cell;
  double percent = 0;  ///< Mean over the seeds.
  double worst_seed = 100;

  [[nodiscard]] double lead() const {
    return percent - std::max(cell.percent.at(kMoka), cell.percent.at(kCaffeine));
  }
};

struct Summary {
  double mean = 0;
  std::map<std::string, double> reference_means;
  const Measured* worst = nullptr;

  [[nodiscard]] double lead_over_caffeine() const { return mean - reference_means.at(kCaffeine); }
  [[nodiscard]] double lead_over_best_rust() const {
    return mean - std::max(reference_means.at(kMoka), reference_means.at(kQuickCache));
  }
  [[nodiscard]] bool mean_is_met() const {
    return lead_over_caffeine() >= kLeastLead && lead_over_best_rust() > 0;
  }
  [[nodiscard]] bool cells_are_met() const { return worst->lead() >= -kMostBehind; }
};

double hit_percent(const std::vector<std::uint64_t>& trace, std::uint64_t size,
                   std::uint64_t seed) {
  struct Present {};
  engine::Cache<std::uint64_t, Present> cache({.max_entries = size,
                                               .maintenance = engine::MaintenanceMode::kInline,
                                               .seed = engine::SplitMix64(seed).next()});
  std::uint64_t hits = 0;
  for (const std::uint64_t key : trace) {
    if (cache.get(key)) {
      ++hits;
    } else {
      cache.put(key, Present{});
    }
  }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

std::vector<Measured> measure(const ReferenceTable& table, const Arguments& arguments) {
  std::vector<Measured> results;
  std::string loaded;
  std::vector<std::uint64_t> trace;
  for (const ReferenceCell& cell : table.cells) {
    if (cell.trace != loaded) {
      trace = read_trace(arguments.traces / (cell.trace + ".txt.gz"));
      loaded = cell.trace;
    }
    Measured result{.cell = cell};
    for (std::uint64_t seed = 0; seed < arguments.seeds; ++seed) {
      const double percent = hit_percent(trace, cell.size, seed);
      result.percent += percent / static_cast<double>(arguments.seeds);
      result.worst_seed = std::min(result.worst_seed, percent);
    }
    results.push_back(result);
  }
  return results;
}

Summary summarize(const ReferenceTable& table, const std::vector<Measured>& results) {
  Summary summary;
  const auto share = 1 / static_cast<double>(results.size());
  for (const Measured& result : results) {
    summary.mean += result.percent * share;
    for (const std::string& column : table.columns) {
      summary.reference_means[column] += result.cell.percent.at(column) * share;
    }
    if (summary.worst == nullptr || result.lead() < summary.worst->lead()) {
      summary.worst = &result;
    }
  }
  return summary;
}

void print_markdown(const ReferenceTable& table, const std::vector<Measured>& results,
                    const Summary& summary) {
  std::printf("| trace | size | llm_edge_cache | worst seed |");
  for (const std::string& column : table.columns) std::printf(" %s |", column.c_str());
  std::printf("\n|---|--:|--:|--:|");
  for (std::size_t i = 0; i < table.columns.size(); ++i) std::printf("--:|");
  for (const Measured& result : results) {
    std::printf("\n| %s | %llu | %.2f | %.2f |", result.cell.trace.c_str(),
                static_cast<unsigned long long>(result.cell.size), result.percent,
                result.worst_seed);
    for (const std::string& column : table.columns) {
      std::printf(" %.2f |", result.cell.percent.at(column));
    }
  }
  std::printf("\n| mean | | %.2f | |", summary.mean);
  for (const std::string& column : table.columns) {
    std::printf(" %.2f |", summary.reference_means.at(column));
  }
  std::printf(
      "\n\nMean: %+.2f points above %s (target %+.2f), %+.2f above the better of %s and %s "
      "(target above 0): %s\n",
      summary.lead_over_caffeine(), kCaffeine, kLeastLead, summary.lead_over_best_rust(), kMoka,
      kQuickCache, summary.mean_is_met() ? "met" : "MISSED");
  std::printf("Worst cell: %s %llu, %+.2f points to the better of %s and %s (target %+.2f): %s\n",
              summary.worst->cell.trace.c_str(),
              static_cast<unsigned long long>(summary.worst->cell.size), summary.worst->lead(),
              kMoka, kCaffeine, -kMostBehind, summary.cells_are_met() ? "met" : "MISSED");
}

void print_json(const std::vector<Measured>& results, const Summary& summary, std::uint64_t seeds) {
  auto cells = nlohmann::ordered_json::array();
  for (const Measured& result : results) {
    cells.push_back({{"trace", result.cell.trace},
                     {"size", result.cell.size},
                     {"llm_edge_cache", result.percent},
                     {"worst_seed", result.worst_seed},
                     {"lead", result.lead()},
                     {"reference", result.cell.percent}});
  }
  const nlohmann::ordered_json document = {
      {"seeds", seeds},
      {"cells", cells},
      {"mean", summary.mean},
      {"reference_means", summary.reference_means},
      {"targets",
       {{"mean",
         {{"lead_over_caffeine", summary.lead_over_caffeine()},
          {"lead_over_best_of_moka_and_quick_cache", summary.lead_over_best_rust()},
          {"met", summary.mean_is_met()}}},
        {"worst_cell",
         {{"trace", summary.worst->cell.trace},
          {"size", summary.worst->cell.size},
          {"lead", summary.worst->lead()},
          {"met", summary.cells_are_met()}}}}}};
  std::printf("%s\n", document.dump(2).c_str());
}

int run(const Arguments& arguments) {
  const std::filesystem::path table_file = arguments.traces / "README.md";
  std::ifstream readme(table_file);
  if (!readme) throw std::runtime_error("cannot open " + table_file.string());
  const ReferenceTable table = read_reference_table(readme);
  const std::vector<Measured> results = measure(table, arguments);
  const Summary summary = summarize(table, results);
  if (arguments.json) {
    print_json(results, summary, arguments.seeds);
  } else {
    print_markdown(table, results, summary);
  }
  return summary.mean_is_met() && summary.cells_are_met() ? 0 : 1;
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  using namespace llm_edge_cache::bench;
  Arguments arguments;
  arguments.traces = trace_directory(LEC_SOURCE_DIR).value_or("");
  CLI::App app{"Hit ratios of L1's engine on the reference traces"};
  app.add_option("--traces", arguments.traces, "Directory with README.md and TRACE.txt.gz");
  app.add_option("--seeds", arguments.seeds, "Runs per cell, each with its own hash seed")
      ->check(CLI::Range(1, 1000));
  app.add_flag("--json", arguments.json, "Print JSON instead of Markdown");
  CLI11_PARSE(app, argc, argv);
  if (arguments.traces.empty()) {
    std::fprintf(stderr, "bench_hit_ratio: no traces: name them with --traces\n");
    return 2;
  }
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_hit_ratio: %s\n", error.what());
    return 2;
  }
}
