// Bytes that nobody can guess, by OpenSSL's generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace llm_edge_cache {

// Ends the process where the system has no entropy: a guessable secret is worse than none.
void fill_random(std::span<std::uint8_t> bytes);

[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace llm_edge_cache
