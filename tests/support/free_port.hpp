#pragma once

#include <cstdint>

namespace llm_edge_cache::test {

// A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the
// caller does: one that starts a server tries again with a new port.
[[nodiscard]] std::uint16_t free_port();

}  // namespace llm_edge_cache::test
