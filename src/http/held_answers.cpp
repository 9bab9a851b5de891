#include "http/held_answers.hpp"

#include <utility>

#include "base/text_cursor.hpp"

namespace llm_edge_cache::http {

bool HeldAnswers::hold(std::shared_ptr<Sender> sender, std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (is_flushing_ || size > kMaxAnswerBytes) return false;
  if (count_ == kMaxAnswers) flush();
  TextCursor cursor(bytes_.data() + (count_ == 0 ? 0 : held_[count_ - 1].end));
  for (const std::string_view piece : pieces) cursor.put(piece);
  held_[count_++] = {std::move(sender), static_cast<std::size_t>(cursor.at() - bytes_.data())};
  return true;
}

void HeldAnswers::flush() {
  is_flushing_ = true;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const auto sender = std::move(held_[i].sender);
    sender->send_held({bytes_.data() + begin, held_[i].end - begin});
    begin = held_[i].end;
  }
  count_ = 0;
  is_flushing_ = false;
}

}  // namespace llm_edge_cache::http
