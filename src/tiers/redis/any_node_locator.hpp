// Finds a node of a cluster for what any of them does alike: publish and subscribe.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "tiers/redis/locator.hpp"

namespace llm_edge_cache::redis {

// Any of those that serve slots will do, and of the seeds until there are some. All who ask with
// the same number begin with the same node: what they tell each other then needs not go over the
// cluster's bus, where small messages may wait 40 ms for one another (Nagle's algorithm).
class AnyNodeLocator final : public Locator {
 public:
  using Serving = std::function<std::vector<std::optional<ServerAddress>>()>;

  AnyNodeLocator(std::vector<ServerAddress> seeds, Serving serving, std::size_t number)
      : seeds_(std::move(seeds)), serving_(std::move(serving)), number_(number) {
    std::sort(seeds_.begin(), seeds_.end());
  }

  void locate(Handler handler) override {
    const std::vector<ServerAddress> nodes = serving();
    is_seed_ = nodes.empty();
    const std::vector<ServerAddress>& choice = is_seed_ ? seeds_ : nodes;
    located_ = choice[(number_ + tries_++) % choice.size()];
    handler(located_);
  }
  void cancel() override {}

  // To be asked while there is a connection to the node named last. True where another is better:
  // this one serves no slots any more, while others do, and may be out of the cluster; or it is a
  // seed, and the nodes that others begin with are known by now.
  [[nodiscard]] bool is_astray() {
    tries_ = 0;
    const std::vector<ServerAddress> nodes = serving();
    if (nodes.empty()) return false;
    if (is_seed_) return located_ != nodes[number_ % nodes.size()];
    return !std::binary_search(nodes.begin(), nodes.end(), located_);
  }

 private:
  [[nodiscard]] std::vector<ServerAddress> serving() const {
    std::vector<ServerAddress> nodes;
    for (auto& node : serving_()) {
      if (node) nodes.push_back(*std::move(node));
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  }

  std::vector<ServerAddress> seeds_;
  const Serving serving_;
  const std::size_t number_;
  std::size_t tries_ = 0;  // since the last connection
  ServerAddress located_;
  bool is_seed_ = false;
};

}  // namespace llm_edge_cache::redis
