// Finds a node of a cluster for what any of them does alike: publish and subscribe.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "tiers/redis/locator.hpp"

namespace llm_edge_cache::redis {

// Any of those that serve slots will do. All who ask with the same number begin with the same node:
// what they tell each other then needs not go over the cluster's bus, where small messages may wait
// 40 ms for one another (Nagle's algorithm). So the first attempt waits until these nodes are
// known; if it is given up before, the next one goes to a seed.
class AnyNodeLocator final : public Locator {
 public:
  struct Options {
    std::vector<ServerAddress> seeds;
    std::function<std::vector<std::optional<ServerAddress>>()> serving;
    // Calls what it is given, at once or later, when some are serving.
    std::function<void(std::function<void()>)> when_known;
    std::size_t number = 0;
  };

  // What when_known() was given is not called any more once the locator is destroyed.
  explicit AnyNodeLocator(Options options) : options_(std::move(options)) {
    std::sort(options_.seeds.begin(), options_.seeds.end());
  }

  void locate(Handler handler) override {
    waiting_ = std::move(handler);
    if (std::exchange(has_waited_, true) || !serving().empty()) return choose();
    options_.when_known([this] {
      if (waiting_) choose();
    });
  }
  void cancel() override { waiting_ = nullptr; }

  // To be asked while there is a connection to the node named last. True where another is better:
  // this one serves no slots any more, while others do, and may be out of the cluster; or it is a
  // seed, and the nodes that others begin with are known by now.
  [[nodiscard]] bool is_astray() {
    tries_ = 0;
    const std::vector<ServerAddress> nodes = serving();
    if (nodes.empty()) return false;
    if (is_seed_) return located_ != nodes[options_.number % nodes.size()];
    return !std::binary_search(nodes.begin(), nodes.end(), located_);
  }

 private:
  void choose() {
    const std::vector<ServerAddress> nodes = serving();
    is_seed_ = nodes.empty();
    const std::vector<ServerAddress>& choice = is_seed_ ? options_.seeds : nodes;
    located_ = choice[(options_.number + tries_++) % choice.size()];
    std::exchange(waiting_, nullptr)(located_);
  }
  [[nodiscard]] std::vector<ServerAddress> serving() const {
    std::vector<ServerAddress> nodes;
    for (auto& node : options_.serving()) {
      if (node) nodes.push_back(*std::move(node));
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  }

  Options options_;
  Handler waiting_;
  bool has_waited_ = false;
  std::size_t tries_ = 0;  // since the last connection
  ServerAddress located_;
  bool is_seed_ = false;
};

}  // namespace llm_edge_cache::redis
