#include "proxy/dialects/dialects.hpp"

#include <algorithm>

namespace llm_edge_cache::proxy {

const Dialect* Dialects::find(std::string_view method, std::string_view path) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Dialect* dialect) {
    return dialect->matches(method, path);
  });
  return found == all_.end() ? nullptr : *found;
}

const Dialect& Dialects::spoken_at(std::string_view path) const {
  constexpr std::string_view kMessages = "/v1/messages";
  const bool is_anthropic = path.starts_with(kMessages) &&
                            (path.size() == kMessages.size() || path[kMessages.size()] == '/');
  if (is_anthropic) {
    return messages_;
  }
  return chat_;
}

}  // namespace llm_edge_cache::proxy
