// docs/metrics.md is what /metrics prints, and says what its words mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::observability {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string document(const std::string& name) {
  std::ifstream in(LEC_SOURCE_DIR "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(MetricsMarkdownTest, the_document_is_what_the_code_prints) {
  EXPECT_TRUE(document("docs/metrics.md") == metrics_markdown())
      << "run: llm-edge-cache serve --metrics-markdown > docs/metrics.md";
}

// Against the contract, so that nothing gets lost on the way through the table.
TEST(MetricsMarkdownTest, every_metric_of_the_contract_has_a_row_with_its_labels) {
  const auto text = metrics_markdown();
  std::ifstream contract(LEC_SOURCE_DIR "/tests/golden/metrics.txt");
  std::string name;
  std::string type;
  std::string labels;
  for (std::string line; std::getline(contract, line);) {
    std::istringstream words(line);
    labels.clear();
    words >> name >> type >> labels;
    const auto in_code =
        labels.empty() ? "" : "`" + std::regex_replace(labels, std::regex(","), "`[^|]*, `") + "`";
    const std::regex row("\\| `" + name + "` \\| " + type + " \\| " + in_code +
                         "[^|]* \\| [^|]{10,} \\|\n");
    EXPECT_TRUE(std::regex_search(text, row)) << line;
  }
}

TEST(MetricsMarkdownTest, every_value_that_is_explained_is_one_that_is_printed) {
  const auto text = metrics_markdown();
  CacheReport report;
  report.l2.emplace();
  report.upstreams.emplace_back();
  const auto metrics = metrics_text(report);
  static const std::regex kLine(
      "## `([a-z_]+)` of `([a-z0-9_]+)`|\\| `([a-z0-9_]+)` \\| ([^|]*) \\|\n");
  std::string label;
  std::string metric;
  int explained = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), kLine), end; match != end; ++match) {
    if ((*match)[1].matched) {
      label = (*match)[1];
      metric = (*match)[2];
    } else if (!label.empty()) {
      const std::string value = (*match)[3];
      EXPECT_THAT(metrics,
                  ContainsRegex("\n" + metric + "\\{[^}]*" + label + "=\"" + value + "\"\\}"));
      EXPECT_GE((*match)[4].length(), 3) << metric << " " << value;
      ++explained;
    }
  }
  EXPECT_GE(explained, 40);
}

TEST(MetricsMarkdownTest, what_the_outside_names_has_no_values) {
  EXPECT_THAT(metrics_markdown(), HasSubstr("| `upstream`, `url`, `result` | Attempts"));
  EXPECT_THAT(metrics_markdown(), HasSubstr("| `tenant`, `reason` (rate, concurrency) |"));
  EXPECT_THAT(metrics_markdown(), Not(HasSubstr("()")));
}

}  // namespace
}  // namespace llm_edge_cache::observability
