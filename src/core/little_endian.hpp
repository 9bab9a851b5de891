// Numbers in the stored forms, whatever the machine's own order.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace llm_edge_cache {

template <std::unsigned_integral T>
void put_little_endian(char* at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    at[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU);
  }
}

template <std::unsigned_integral T, class Byte>
  requires(sizeof(Byte) == 1)
[[nodiscard]] T get_little_endian(const Byte* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return static_cast<T>(value);
}

}  // namespace llm_edge_cache
