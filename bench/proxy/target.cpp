#include "bench/proxy/target.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "bench/proxy/connection.hpp"

namespace llm_edge_cache::bench {

std::vector<Target> parse_targets(const std::vector<std::string>& texts) {
  std::vector<Target> targets;
  for (const auto& text : texts) {
    const auto first = text.find('=');
    const auto second = text.find('=', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      throw std::invalid_argument("not NAME=PORT=REQUEST_FILE: " + text);
    }
    Target target{.name = text.substr(0, first), .request = read_file(text.substr(second + 1))};
    const auto [end, error] =
        std::from_chars(text.data() + first + 1, text.data() + second, target.port);
    if (error != std::errc() || end != text.data() + second) {
      throw std::invalid_argument("no port: " + text);
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

std::string numbered(std::string_view request, std::uint64_t number) {
  const std::size_t begin = request.find(std::string(12, '@'));
  if (begin == std::string_view::npos) throw std::invalid_argument("no place for a number");
  const std::size_t end = std::min(request.find_first_not_of('@', begin), request.size());
  std::string text(request);
  for (std::size_t i = end; i > begin; --i, number /= 10) {
    text[i - 1] = static_cast<char>('0' + number % 10);
  }
  return text;
}

}  // namespace llm_edge_cache::bench
