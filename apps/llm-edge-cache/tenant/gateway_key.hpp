// Gateway keys: what a tenant's clients send, and what the configuration has of it.
#pragma once

#include <string>
#include <string_view>

namespace llm_edge_cache::app {

// 256 random bits: "lec_" and 64 hex digits. Nobody guesses it, so a plain hash hides it.
[[nodiscard]] std::string make_gateway_key();

// "sha256:" and 64 hex digits, as the list `keys` of a tenant has it.
[[nodiscard]] std::string gateway_key_hash(std::string_view key);

}  // namespace llm_edge_cache::app
