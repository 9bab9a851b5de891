// A provider that remembers the bytes of every request and numbers its answers: two requests got
// the same number only where the second was answered from the cache.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tests/support/raw_server.hpp"

namespace llm_edge_cache::test {

[[nodiscard]] inline std::string chat_answer(const std::string& content) {
  return R"({"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{)"
         R"("index":0,"message":{"role":"assistant","content":")" +
         content +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,)"
         R"("total_tokens":2}})";
}

class CountingProvider {
 public:
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t count() const { return requests().size(); }
  [[nodiscard]] std::string last() const { return requests().back(); }

 private:
  std::string answer(std::string request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    return http_answer(chat_answer("answer " + std::to_string(requests_.size())));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  RawServer server_{[this](RawPeer& peer) {
    while (auto request = peer.read_request()) {
      if (!peer.send(answer(*std::move(request)))) return;
    }
  }};
};

}  // namespace llm_edge_cache::test
