#include "tiers/redis/server_role.hpp"

#include "tiers/redis/quoted.hpp"

namespace llm_edge_cache::redis {
namespace {

// ["slave", the master's host, its port, the link's state, ..]
constexpr std::size_t kLinkStateAt = 4;

}  // namespace

std::string complaint_about_role(ServerRole wanted, RespReply reply) {
  if (wanted == ServerRole::kAny) return {};
  if (reply[0].type != RespType::kArray || reply.size() < 2) {
    return "the server does not answer ROLE as Redis does";
  }
  const bool is_replica = reply[1].text == "slave";
  const std::string is = "the server is a " + quoted(reply[1].text);
  if (wanted == ServerRole::kMaster) {
    return reply[1].text == "master" ? std::string() : is + ", not the master";
  }
  if (!is_replica) return is + ", not a replica";
  const bool is_linked = reply.size() > kLinkStateAt && reply[kLinkStateAt].text == "connected";
  return is_linked ? std::string() : "the replica is cut off from its master";
}

}  // namespace llm_edge_cache::redis
