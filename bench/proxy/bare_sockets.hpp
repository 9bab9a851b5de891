// What the bare programs have in common: they show what the system itself costs.
#pragma once

#include <cstdint>

namespace llm_edge_cache::bench {

// Listens on the port of the loopback interface; ends the program where that fails.
[[nodiscard]] int listen_on(std::uint16_t port, const char* program);

// The next connection, which neither blocks nor waits to send; negative where there is none.
[[nodiscard]] int accept_one(int listener);

// Connects to the port of the loopback interface; else as accept_one().
[[nodiscard]] int connect_to(std::uint16_t port);

void watch(int epoll, int fd);

}  // namespace llm_edge_cache::bench
