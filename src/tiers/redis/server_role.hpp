// Whether a server is what it was taken for.
#pragma once

#include <cstdint>
#include <string>

#include "tiers/redis/resp_parser.hpp"

namespace llm_edge_cache::redis {

enum class ServerRole : std::uint8_t {
  kAny,
  kMaster,
  kReplica,  // whose link to its master is up: another knows less with every second
};

// Of an answer to ROLE: empty where it fits, else what the server is instead.
[[nodiscard]] std::string complaint_about_role(ServerRole wanted, RespReply reply);

}  // namespace llm_edge_cache::redis
