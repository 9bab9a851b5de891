#include "proxy/dialects/padding.hpp"

#include <utility>

#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/event_blocks.hpp"
#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {
namespace {

// True where nothing but a type and data stands in the block.
bool is_plain(std::string_view block, std::string_view type, std::string_view data) {
  std::string plain;
  append_event(plain, type, data);
  return block == plain;
}

}  // namespace

bool is_padded(std::string_view stream) {
  return stream.find(kPaddingMember) != std::string_view::npos;
}

Result<std::optional<std::string>> strip_padding(std::string_view stream) {
  std::string out;
  out.reserve(stream.size());
  for (const auto block : event_blocks(stream)) {
    auto event = is_padded(block) ? parse_answer_json(event_data(block)) : std::nullopt;
    if (!event || !event->is_object() || !event->contains(kPaddingMember)) {
      out += block;
      continue;
    }
    const auto type = event_type(block);
    if (!is_plain(block, type, event_data(block))) {
      return cannot_adapt("an event of the recorded stream has fields that we do not write");
    }
    event->erase(std::string(kPaddingMember));
    append_event(out, type, event->dump());
  }
  return std::optional(std::move(out));
}

}  // namespace llm_edge_cache::proxy
