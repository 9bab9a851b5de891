// Destroys what must not be destroyed on the thread that dropped it.
#pragma once

#include <functional>

namespace llm_edge_cache {

// Runs destroy on a thread of its own; the end of the program waits for it.
void destroy_elsewhere(std::function<void()> destroy);

}  // namespace llm_edge_cache
