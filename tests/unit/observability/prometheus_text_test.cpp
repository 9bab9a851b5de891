#include "observability/prometheus_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(PrometheusTextTest, a_histogram_is_cumulative_and_in_milliseconds) {
  LatencyHistogram histogram;
  histogram.record_ns(900);
  histogram.record_ns(2'000);
  histogram.record_ns(120'000'000'000);
  PrometheusText text;
  text.histogram("latency_ms", "Latency.").add({{"tier", "l1"}}, histogram.snapshot());
  const auto out = std::move(text).take();
  EXPECT_THAT(out, HasSubstr("# TYPE latency_ms histogram\n"));
  EXPECT_THAT(out, HasSubstr("latency_ms_bucket{tier=\"l1\",le=\"0.001\"} 1\n"
                             "latency_ms_bucket{tier=\"l1\",le=\"0.0025\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("latency_ms_bucket{tier=\"l1\",le=\"60000\"} 2\n"
                             "latency_ms_bucket{tier=\"l1\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("latency_ms_sum{tier=\"l1\"} 120000.0029\n"
                             "latency_ms_count{tier=\"l1\"} 3\n"));
}

}  // namespace
}  // namespace llm_edge_cache::observability
