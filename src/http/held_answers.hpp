// Short answers of connections that became ready together: all are made, then all are sent. What
// makes them stays in the processor's caches, and so does what the kernel does to send one; the
// client is woken for several (docs/decisions/0012-hits-without-a-flow.md).
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace llm_edge_cache::http {

// Belongs to one I/O thread, which flushes it before it looks for further events.
class HeldAnswers {
 public:
  static constexpr std::size_t kMaxAnswers = 16;
  static constexpr std::size_t kMaxAnswerBytes = 4 * 1024;

  class Sender {
   public:
    // bytes are valid during the call.
    virtual void send_held(std::string_view bytes) = 0;

   protected:
    ~Sender() = default;
  };

  // Copies the pieces and keeps the sender; flushes first where no place is left. False where they
  // are too long, or come from a sender's send_held().
  [[nodiscard]] bool hold(std::shared_ptr<Sender> sender, std::span<const std::string_view> pieces);
  // Every sender gets its bytes, in order.
  void flush();

 private:
  struct Held {
    std::shared_ptr<Sender> sender;
    std::size_t end = 0;  // of its bytes, which begin where those before it end
  };

  bool is_flushing_ = false;
  std::size_t count_ = 0;
  std::array<Held, kMaxAnswers> held_;
  std::array<char, kMaxAnswers * kMaxAnswerBytes> bytes_;  // not initialised: written before read
};

}  // namespace llm_edge_cache::http
