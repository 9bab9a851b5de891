#include "http/held_answers.hpp"

#include <utility>

namespace llm_edge_cache::http {

bool HeldAnswers::hold(std::shared_ptr<Sender> sender) {
  if (is_flushing_) return false;
  if (count_ == kMaxAnswers) flush();
  held_[count_++] = std::move(sender);
  return true;
}

void HeldAnswers::flush() {
  is_flushing_ = true;
  for (std::size_t i = 0; i < count_; ++i) {
    const auto sender = std::move(held_[i]);
    sender->send_held();
  }
  count_ = 0;
  is_flushing_ = false;
}

}  // namespace llm_edge_cache::http
