#include "tiers/redis/io_thread.hpp"

#include "tiers/redis/busy_poll.hpp"

namespace llm_edge_cache::redis {

IoThread::IoThread(std::chrono::microseconds busy_poll, const std::atomic<std::size_t>& lookups)
    : busy_poll_(busy_poll), lookups_(lookups), thread_([this] { run(); }) {}

void IoThread::run() {
  BusyPoll busy_poll(busy_poll_);
  while (!context_.stopped()) {
    if (context_.poll() > 0) {
      busy_poll.on_work();
      continue;
    }
    const bool is_awaited = lookups_.load(std::memory_order_relaxed) > 0;
    if (!busy_poll.look_again(is_awaited, std::chrono::steady_clock::now())) context_.run_one();
  }
}

}  // namespace llm_edge_cache::redis
