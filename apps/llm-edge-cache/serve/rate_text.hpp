// Rates as the configuration has them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace llm_edge_cache::app {

inline constexpr std::string_view kRateRange = "a number from 0.001 to 1000000";

// Requests in a thousand seconds, of a decimal number of requests in one; what is finer than a
// thousandth is rounded. Nothing where it is not kRateRange.
[[nodiscard]] std::optional<std::uint64_t> read_rate(std::string_view text);

// What may come at once where nobody says how much.
[[nodiscard]] constexpr std::uint64_t burst_of_a_second(std::uint64_t per_1000_s) {
  return std::max<std::uint64_t>(1, per_1000_s / 1'000);
}

}  // namespace llm_edge_cache::app
