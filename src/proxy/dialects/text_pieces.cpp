#include "proxy/dialects/text_pieces.hpp"

#include <cstddef>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::size_t kPieceMinBytes = 48;
constexpr std::size_t kPieceMaxBytes = 96;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::string_view take_piece(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && end < kPieceMaxBytes &&
         (end < kPieceMinBytes || text[end - 1] != ' ')) {
    ++end;
  }
  while (end < text.size() && continues_character(text[end])) {
    ++end;
  }
  const auto piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

}  // namespace llm_edge_cache::proxy
