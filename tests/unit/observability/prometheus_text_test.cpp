#include "observability/prometheus_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace llm_edge_cache::observability {
namespace {

using ::testing::HasSubstr;

TEST(PrometheusTextTest, writes_help_type_and_samples_of_a_counter) {
  PrometheusText text;
  text.counter("hits_total", "Lookups answered.")
      .add({{"tier", "l1"}}, std::uint64_t{3})
      .add({{"tier", "l2"}, {"kind", "fresh"}}, std::uint64_t{0});
  EXPECT_EQ(std::move(text).take(),
            "# HELP hits_total Lookups answered.\n"
            "# TYPE hits_total counter\n"
            "hits_total{tier=\"l1\"} 3\n"
            "hits_total{tier=\"l2\",kind=\"fresh\"} 0\n");
}

TEST(PrometheusTextTest, a_sample_without_labels_has_no_braces) {
  PrometheusText text;
  text.gauge("up", "Alive.").add({}, 1.5);
  EXPECT_THAT(std::move(text).take(), HasSubstr("\nup 1.5\n"));
}

TEST(PrometheusTextTest, large_counts_keep_every_digit) {
  PrometheusText text;
  text.counter("n_total", "N.").add({}, std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT(std::move(text).take(), HasSubstr("n_total 18446744073709551615\n"));
}

TEST(PrometheusTextTest, values_that_are_not_finite_have_names) {
  PrometheusText text;
  text.gauge("g", "G.")
      .add({}, std::numeric_limits<double>::infinity())
      .add({}, -std::numeric_limits<double>::infinity())
      .add({}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(std::move(text).take(), HasSubstr("g +Inf\ng -Inf\ng NaN\n"));
}

TEST(PrometheusTextTest, label_values_cannot_end_their_quotes_or_their_line) {
  PrometheusText text;
  text.counter("n_total", "N.").add({{"model", "a\"b\\c\nd"}}, std::uint64_t{1});
  EXPECT_THAT(std::move(text).take(), HasSubstr(R"(n_total{model="a\"b\\c\nd"} 1)"));
}

TEST(PrometheusTextTest, help_cannot_end_its_line) {
  PrometheusText text;
  text.counter("n_total", "one\ntwo \\ \"three\"");
  EXPECT_THAT(std::move(text).take(), HasSubstr("# HELP n_total one\\ntwo \\\\ \"three\"\n"));
}

TEST(PrometheusTextTest, a_histogram_is_cumulative_and_ends_with_sum_and_count) {
  const std::array bounds{0.001, 0.0025, 1000.0};
  const std::array<std::uint64_t, 4> counts{1, 0, 2, 4};
  PrometheusText text;
  text.histogram("latency_ms", "Latency.")
      .add({{"tier", "l1"}}, {.bounds = bounds, .counts = counts, .sum = 4200.5});
  EXPECT_EQ(std::move(text).take(),
            "# HELP latency_ms Latency.\n"
            "# TYPE latency_ms histogram\n"
            "latency_ms_bucket{tier=\"l1\",le=\"0.001\"} 1\n"
            "latency_ms_bucket{tier=\"l1\",le=\"0.0025\"} 1\n"
            "latency_ms_bucket{tier=\"l1\",le=\"1000\"} 3\n"
            "latency_ms_bucket{tier=\"l1\",le=\"+Inf\"} 7\n"
            "latency_ms_sum{tier=\"l1\"} 4200.5\n"
            "latency_ms_count{tier=\"l1\"} 7\n");
}

}  // namespace
}  // namespace llm_edge_cache::observability
