#include "tenant/gateway_key.hpp"

#include "base/key_digest.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "serve/tenants_layer.hpp"

namespace llm_edge_cache::app {

std::string make_gateway_key() {
  KeyDigest bits;
  fill_random(bits.bytes);
  return "lec_" + to_hex(bits);
}

std::string gateway_key_hash(std::string_view key) {
  return std::string(kKeyHashPrefix) + to_hex(sha256(key));
}

}  // namespace llm_edge_cache::app
