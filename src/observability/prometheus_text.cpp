#include "observability/prometheus_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>

namespace llm_edge_cache::observability {

namespace {

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void PrometheusText::Family::line(std::string_view suffix, const Labels& labels,
                                  std::string_view value) {
  *out_ += name_;
  *out_ += suffix;
  char separator = '{';
  for (const auto& [name, label] : labels) {
    *out_ += separator;
    *out_ += name;
    *out_ += "=\"";
    append_escaped(*out_, label, true);
    *out_ += '"';
    separator = ',';
  }
  if (!labels.empty()) *out_ += '}';
  *out_ += ' ';
  *out_ += value;
  *out_ += '\n';
}

PrometheusText::Family& PrometheusText::Family::add(const Labels& labels, std::uint64_t value) {
  line("", labels, std::to_string(value));
  return *this;
}

PrometheusText::Family& PrometheusText::Family::add(const Labels& labels, double value) {
  line("", labels, number(value));
  return *this;
}

PrometheusText::Family& PrometheusText::Family::add(const Labels& labels,
                                                    const HistogramSample& histogram) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    cumulative += histogram.counts[i];
    const auto bound =
        i < histogram.bounds.size() ? number(histogram.bounds[i]) : std::string("+Inf");
    with_bound.back().second = bound;
    line("_bucket", with_bound, std::to_string(cumulative));
  }
  line("_sum", labels, number(histogram.sum));
  line("_count", labels, std::to_string(cumulative));
  return *this;
}

PrometheusText::Family PrometheusText::counter(std::string_view name, std::string_view help) {
  return family(name, "counter", help);
}

PrometheusText::Family PrometheusText::gauge(std::string_view name, std::string_view help) {
  return family(name, "gauge", help);
}

PrometheusText::Family PrometheusText::histogram(std::string_view name, std::string_view help) {
  return family(name, "histogram", help);
}

PrometheusText::Family PrometheusText::family(std::string_view name, std::string_view type,
                                              std::string_view help) {
  out_ += fmt::format("# HELP {} ", name);
  append_escaped(out_, help, false);
  out_ += fmt::format("\n# TYPE {} {}\n", name, type);
  return {out_, std::string(name)};
}

}  // namespace llm_edge_cache::observability
