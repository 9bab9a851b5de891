// A connection's own question whether its server still answers.
#pragma once

#include <string>

#include "tiers/redis/command.hpp"
#include "tiers/redis/operation.hpp"

namespace llm_edge_cache::redis {

// Nobody waits for it: its outcome reaches the breaker through the session, and one that is
// overdue stalls the connection, which then gives itself up.
class Heartbeat final : public Operation {
 public:
  explicit Heartbeat(TimePoint answer_until) { deadline = answer_until; }

  bool append_to(std::string& out) override {
    append_command(out, {"PING"});
    return true;
  }
  bool complete(RespReply reply) override { return reply[0].type == RespType::kSimpleString; }
  void fail(const Error& /*error*/) override {}
};

}  // namespace llm_edge_cache::redis
