// The errors by which a node of a cluster sends a command elsewhere or asks for patience.
#pragma once

#include <cstdint>
#include <string_view>

#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

struct Redirect {
  enum class Kind {
    kNone,      // an error like any other
    kMoved,     // the slot belongs to `address` from now on
    kAsk,       // only this command goes to `address`, after ASKING
    kTryLater,  // TRYAGAIN, CLUSTERDOWN: the same once more, in a while
  };

  Kind kind = Kind::kNone;
  std::uint16_t slot = 0;
  ServerAddress address{};

  // `error` without its "-", from the server at `from`: an address without a host means that one's.
  [[nodiscard]] static Redirect parse(std::string_view error, const ServerAddress& from);
};

// What a replica says that cannot answer now, though its primary may.
[[nodiscard]] bool replica_refuses(std::string_view error);

}  // namespace llm_edge_cache::redis
