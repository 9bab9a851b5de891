// Finds out which server to connect to.
#pragma once

#include <functional>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

// On the thread of its io_context only.
class Locator {
 public:
  using Handler = std::function<void(Result<ServerAddress>)>;

  virtual ~Locator() = default;
  // One at a time; the handler is called once, unless cancel() comes first. An attempt that is in
  // vain makes the next one ask somebody else.
  virtual void locate(Handler handler) = 0;
  virtual void cancel() = 0;
};

}  // namespace llm_edge_cache::redis
