#pragma once

#include <cstdint>

namespace llm_edge_cache::test {

// A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the
// caller does: one that starts a server tries again with a new port.
[[nodiscard]] std::uint16_t free_port();

struct LoopbackListener {
  int socket = -1;  // the caller's to close
  std::uint16_t port = 0;
};
// On a free port of 127.0.0.1. Both throw std::system_error.
[[nodiscard]] LoopbackListener listen_on_loopback();

}  // namespace llm_edge_cache::test
