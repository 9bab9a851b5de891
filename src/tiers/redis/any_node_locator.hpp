// Finds a node of a cluster for what any of them does alike: publish and subscribe.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "tiers/redis/locator.hpp"

namespace llm_edge_cache::redis {

// Those that serve slots, one after the other, and the seeds until there are any.
class AnyNodeLocator final : public Locator {
 public:
  using Serving = std::function<std::vector<std::optional<ServerAddress>>()>;

  AnyNodeLocator(std::vector<ServerAddress> seeds, Serving serving, std::size_t first)
      : seeds_(std::move(seeds)), serving_(std::move(serving)), asked_(first) {}

  void locate(Handler handler) override {
    std::vector<ServerAddress> nodes = serving();
    if (nodes.empty()) nodes = seeds_;
    located_ = nodes[asked_++ % nodes.size()];
    handler(located_);
  }
  void cancel() override {}

  // The last one named serves no slots any more, while others do: it may be out of the cluster.
  [[nodiscard]] bool is_astray() const {
    const std::vector<ServerAddress> nodes = serving();
    return !nodes.empty() && std::find(nodes.begin(), nodes.end(), located_) == nodes.end();
  }

 private:
  [[nodiscard]] std::vector<ServerAddress> serving() const {
    std::vector<ServerAddress> nodes;
    for (auto& node : serving_()) {
      if (node) nodes.push_back(*std::move(node));
    }
    return nodes;
  }

  const std::vector<ServerAddress> seeds_;
  const Serving serving_;
  std::size_t asked_;
  ServerAddress located_;
};

}  // namespace llm_edge_cache::redis
