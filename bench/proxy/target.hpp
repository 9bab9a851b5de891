#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::bench {

// Who is asked: NAME=PORT on the command line.
struct Target {
  std::string name;
  std::uint16_t port = 0;
  std::string request;  // its bytes, with a run of '@' where every question gets its number
};

// Throws std::invalid_argument where one is not NAME=PORT=REQUEST_FILE.
[[nodiscard]] std::vector<Target> parse_targets(const std::vector<std::string>& texts);

// The target's request with `number` in place of the first run of '@', zeros before it, so that
// all requests are of one length. Throws std::invalid_argument where there is no run of 12 or more.
[[nodiscard]] std::string numbered(std::string_view request, std::uint64_t number);

}  // namespace llm_edge_cache::bench
