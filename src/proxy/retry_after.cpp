#include "proxy/retry_after.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <string_view>

#include "base/parse_number.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr double kDayMs = 24.0 * 3'600 * 1'000;

// Providers also send fractions, which the RFC does not have.
std::optional<double> number_of(std::string_view text) {
  const auto value = parse_number<double>(text);
  return value && std::isfinite(*value) && *value >= 0 ? value : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form that is generated today.
std::optional<UnixMillis> date_of(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* const rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0') {
    return std::nullopt;
  }
  return UnixMillis{::timegm(&parts)} * 1'000;
}

std::chrono::milliseconds bounded(double ms) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(ms, 0.0, kDayMs)));
}

}  // namespace

std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers,
                                                     UnixMillis now_ms) {
  if (headers.get("x-should-retry") == "false") {
    return std::nullopt;
  }
  if (const auto ms = number_of(headers.get("retry-after-ms").value_or(""))) {
    return bounded(*ms);
  }
  const auto text = headers.get("retry-after").value_or("");
  if (const auto seconds = number_of(text)) {
    return bounded(*seconds * 1'000);
  }
  if (const auto date_ms = date_of(text)) {
    return bounded(static_cast<double>(*date_ms - now_ms));
  }
  return std::nullopt;
}

}  // namespace llm_edge_cache::proxy
