// Spreads whatever a key's hash function gives over all 64 bits.
#pragma once

#include <cstdint>

namespace llm_edge_cache::engine {

/// Both halves of a 128-bit product, folded into one: every bit of the result depends
/// on every bit of `x`.
constexpr std::uint64_t mix(std::uint64_t x) {
  __extension__ using Product = unsigned __int128;
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  const Product product = static_cast<Product>(x) * kOdd;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

}  // namespace llm_edge_cache::engine
