#include "http/field_lines.hpp"

namespace llm_edge_cache::http {

char* FieldLines::room(std::size_t bytes) {
  if (memory_.size() < size_ + bytes) memory_.resize(2 * (size_ + bytes));
  return memory_.data() + size_;
}

}  // namespace llm_edge_cache::http
