#include "core/entry_checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "core/little_endian.hpp"

namespace llm_edge_cache {

std::array<char, kEntryChecksumBytes> entry_checksum(const KeyDigest& key, std::string_view head,
                                                     std::string_view rest) {
  std::array<char, sizeof(KeyDigest) + 16> bound;
  const auto end = std::ranges::copy(key.view(), bound.begin()).out;
  std::ranges::copy(head.substr(0, 16), end);
  const auto seed = XXH3_128bits(bound.data(), bound.size());
  const auto sum = XXH3_128bits_withSeed(rest.data(), rest.size(), seed.low64);
  // The seed has 64 bits; this way two keys have to agree in all 128.
  std::array<char, kEntryChecksumBytes> bytes;
  put_little_endian(bytes.data(), std::uint64_t{sum.low64 ^ seed.low64});
  put_little_endian(bytes.data() + 8, std::uint64_t{sum.high64 ^ seed.high64});
  return bytes;
}

}  // namespace llm_edge_cache
