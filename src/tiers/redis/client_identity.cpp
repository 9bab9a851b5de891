#include "tiers/redis/client_identity.hpp"

#include <algorithm>

namespace llm_edge_cache::redis {

std::optional<ClientIdentity> ClientIdentity::parse(std::string_view info) {
  ClientIdentity identity;
  while (!info.empty()) {
    const std::size_t end = std::min(info.find_first_of(" \r\n"), info.size());
    const std::string_view field = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (field.starts_with("id=")) identity.id = field.substr(3);
    if (field.starts_with("addr=")) identity.address = field.substr(5);
  }
  if (identity.id.empty() || identity.address.empty()) return std::nullopt;
  return identity;
}

}  // namespace llm_edge_cache::redis
