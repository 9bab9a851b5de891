// Server-sent events: cut anywhere a stream has the same events, and written again it has them
// still.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/fuzz_check.hpp"
#include "http/sse.hpp"

namespace llm_edge_cache::http {
namespace {

struct Events {
  std::vector<std::pair<std::string, std::string>> type_and_data;
  std::vector<std::string> ids;
  std::string written;
  bool failed = false;
};

Events parse(std::string_view input, std::size_t piece, std::size_t max_event_bytes) {
  SseParser parser(max_event_bytes);
  Events events;
  while (!input.empty() && !events.failed) {
    const std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    const Status status = parser.feed(part, [&](const SseEvent& event) {
      events.type_and_data.emplace_back(event.type, event.data);
      events.ids.emplace_back(event.id);
      append_sse_event(events.written, event);
    });
    events.failed = !status.ok();
  }
  return events;
}

}  // namespace
}  // namespace llm_edge_cache::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  if (size == 0) return 0;
  constexpr std::size_t kMaxEventBytes = 512;
  const std::size_t piece = data[0] % 64 + 1;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const http::Events whole =
      http::parse(input, std::max<std::size_t>(input.size(), 1), kMaxEventBytes);
  const http::Events pieces = http::parse(input, piece, kMaxEventBytes);
  fuzz_check(pieces.failed == whole.failed, "pieces fail where the whole fails");
  fuzz_check(pieces.type_and_data == whole.type_and_data && pieces.ids == whole.ids,
             "pieces have the events of the whole");
  const http::Events again = http::parse(whole.written, 4'096, 16 * kMaxEventBytes);
  fuzz_check(again.type_and_data == whole.type_and_data, "what is written has the same events");
  return 0;
}
