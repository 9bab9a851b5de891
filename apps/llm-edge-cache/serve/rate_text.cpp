#include "serve/rate_text.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

namespace llm_edge_cache::app {

std::optional<std::uint64_t> read_rate(std::string_view text) {
  double rate = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, rate, std::chars_format::fixed);
  if (error != std::errc() || rest != end || !(rate >= 0.001 && rate <= 1e6)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(rate * 1'000));
}

}  // namespace llm_edge_cache::app
