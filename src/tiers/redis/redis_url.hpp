// Where a Redis server is and how to log in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::redis {

struct RedisUrl {
  enum class Transport { kTcp, kUnixSocket };

  Transport transport = Transport::kTcp;
  std::string host = "127.0.0.1";  // a name, or an address without the brackets of IPv6
  std::uint16_t port = 6379;
  std::string path;      // of the unix socket
  std::string user;      // empty: Redis's default user
  std::string password;  // empty: no AUTH
  std::uint32_t database = 0;

  // redis://[[user]:password@]host[:port][/db] or redis+unix://[[user]:password@]/path[?db=N],
  // user, password and path percent-encoded (RFC 3986). kInvalidArgument says what is wrong, and
  // never quotes anything that may be a secret.
  [[nodiscard]] static Result<RedisUrl> parse(std::string_view text);

  // For logs: the same URL, without the password.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const RedisUrl&, const RedisUrl&) = default;
};

}  // namespace llm_edge_cache::redis
