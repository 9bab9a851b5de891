// Blocking calls over asynchronous ones.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace llm_edge_cache {

// The future of what start(handler) will pass to its handler, which may outlive the wait.
template <class T, class Start>
[[nodiscard]] std::future<T> begin(Start&& start) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  std::forward<Start>(start)([promise](T result) { promise->set_value(std::move(result)); });
  return future;
}

// Waits as long as the operation's own deadlines allow.
template <class T, class Start>
[[nodiscard]] T wait_for(Start&& start) {
  return begin<T>(std::forward<Start>(start)).get();
}

}  // namespace llm_edge_cache
