// Writes the Prometheus text exposition format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llm_edge_cache::observability {

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

// A histogram as its owner counts it. The spans must outlive the call.
struct HistogramSample {
  std::span<const double> bounds;         // inclusive, rising
  std::span<const std::uint64_t> counts;  // of each bucket alone; one more than bounds: +Inf
  double sum = 0;
};

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// Appends one family after the other to a text that it owns. Names are the caller's: they must be
// valid already. Label values and help texts are escaped. Not thread-safe.
//
//   PrometheusText text;
//   text.counter("cache_hits_total", "Lookups answered.").add({{"tier", "l1"}}, 17);
//
// A family's samples must be added before the next family starts.
class PrometheusText {
 public:
  class Family {
   public:
    Family& add(const Labels& labels, std::uint64_t value);
    Family& add(const Labels& labels, double value);
    // The _bucket lines, cumulative, then _sum and _count.
    Family& add(const Labels& labels, const HistogramSample& histogram);

   private:
    friend class PrometheusText;
    Family(std::string& out, std::string name) : out_(&out), name_(std::move(name)) {}
    void line(std::string_view suffix, const Labels& labels, std::string_view value);

    std::string* out_;
    std::string name_;
  };

  Family counter(std::string_view name, std::string_view help);
  Family gauge(std::string_view name, std::string_view help);
  Family histogram(std::string_view name, std::string_view help);

  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  Family family(std::string_view name, std::string_view type, std::string_view help);
  std::string out_;
};

}  // namespace llm_edge_cache::observability
