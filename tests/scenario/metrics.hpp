// What a proxy counts, read from its admin listener.
#pragma once

#include <stdexcept>
#include <string>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"

namespace llm_edge_cache::test {

// The value of "name{labels}". Throws std::runtime_error where there is no such sample.
inline double metric_of(const Program& proxy, const std::string& sample) {
  const auto body = get(proxy.address("admin"), "/metrics").body;
  const auto at = body.find("\n" + sample + " ");
  if (at == std::string::npos) throw std::runtime_error("no metric " + sample);
  return std::stod(body.substr(at + sample.size() + 2));
}

}  // namespace llm_edge_cache::test
