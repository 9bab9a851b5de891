// Where one Redis server listens.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace llm_edge_cache::redis {

struct ServerAddress {
  std::string host;  // a name, or an address without the brackets of IPv6
  std::uint16_t port = 6379;
  std::string path{};  // of a unix socket, instead of host and port

  [[nodiscard]] bool is_unix_socket() const { return !path.empty(); }
  // host:port, [host]:port or the path.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const ServerAddress&, const ServerAddress&) = default;
};

}  // namespace llm_edge_cache::redis
