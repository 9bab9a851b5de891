// Where a server is, as scheme, host and port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

enum class Scheme : std::uint8_t { kHttp, kHttps };

struct Origin {
  Scheme scheme = Scheme::kHttp;
  std::string host;  // name, IPv4 or IPv6 address without brackets, lower case
  std::uint16_t port = 80;

  // Value of the Host field: IPv6 in brackets, the scheme's default port left out.
  [[nodiscard]] std::string authority() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Url {
  Origin origin;
  std::string path;  // with leading slash and without trailing one; empty for none
};

// http://host[:port][/path] or https://; user info, query and fragment are errors that say so.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// The text without the user info that it may have, to be shown.
[[nodiscard]] std::string without_user_info(std::string_view url);

struct HostPort {
  std::string host;  // empty: every IPv4 address
  std::uint16_t port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:0", ":8080"; "[::]:8080" is every address.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

}  // namespace llm_edge_cache::http
