#include "bench/fleet/load.hpp"

#include <stdexcept>

#include "tests/scenario/raw_client.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr std::size_t kHotPrompts = 1'000;
constexpr std::size_t kNewEvery = 10;

}  // namespace

Load::Load(const Fleet& fleet, std::size_t callers) {
  for (std::size_t i = 0; i < callers; ++i) {
    threads_.emplace_back([this, address = fleet.address(i), i] { run(address, i); });
  }
}

Load::~Load() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void Load::run(const std::string& address, std::size_t caller) {
  test::RawClient client(address);
  for (std::size_t round = 1; !stopping_; ++round) {
    const bool is_new = round % kNewEvery == 0;
    client.send(chat_bytes(is_new ? "new-" + std::to_string(caller) + "-" + std::to_string(round)
                                  : "hot-" + std::to_string(round * 7 % kHotPrompts),
                           /*only_if_cached=*/false));
    if (!client.read_answer()) throw std::runtime_error("a caller got no answer");
    ++answered_;
  }
}

Spinners::Spinners(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this] {
      while (!stopping_.load(std::memory_order_relaxed)) {
      }
    });
  }
}

Spinners::~Spinners() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace llm_edge_cache::bench
