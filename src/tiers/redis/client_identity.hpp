// How a server calls one of its connections.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llm_edge_cache::redis {

// A server that was restarted may give the same id again, but hardly to the same address.
struct ClientIdentity {
  std::string id;
  std::string address;  // of the client's end, as the server sees it

  // The answer to CLIENT INFO ("id=3 addr=127.0.0.1:50112 ..."); nothing where either is missing.
  [[nodiscard]] static std::optional<ClientIdentity> parse(std::string_view info);

  friend bool operator==(const ClientIdentity&, const ClientIdentity&) = default;
};

}  // namespace llm_edge_cache::redis
