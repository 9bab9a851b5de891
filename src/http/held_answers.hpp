// Short answers of connections that became ready together: all are made, then all are sent. What
// makes them stays in the processor's caches, and so does what the kernel does to send one; the
// client is woken for several (docs/decisions/0012-hits-without-a-flow.md).
#pragma once

#include <array>
#include <cstddef>
#include <memory>

namespace llm_edge_cache::http {

// Belongs to one I/O thread, which flushes it before it looks for further events.
class HeldAnswers {
 public:
  static constexpr std::size_t kMaxAnswers = 16;

  class Sender {
   public:
    // Sends the answer that it keeps.
    virtual void send_held() = 0;

   protected:
    ~Sender() = default;
  };

  // Keeps the sender; flushes first where no place is left. False during a flush: what is answered
  // then is sent at once.
  [[nodiscard]] bool hold(std::shared_ptr<Sender> sender);
  // Every sender sends, in order.
  void flush();

 private:
  bool is_flushing_ = false;
  std::size_t count_ = 0;
  std::array<std::shared_ptr<Sender>, kMaxAnswers> held_;
};

}  // namespace llm_edge_cache::http
