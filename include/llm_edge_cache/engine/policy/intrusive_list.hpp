// A doubly linked list through the nodes' own links; front is most recent. Sums counts and weights.
#pragma once

#include <cstdint>
#include <utility>

#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

template <PolicyNodes Nodes>
class IntrusiveList {
 public:
  explicit IntrusiveList(Segment segment) : segment_(segment) {}

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t weight() const { return weight_; }
  [[nodiscard]] Handle front() const { return front_; }
  [[nodiscard]] Handle back() const { return back_; }

  void push_front(Nodes& nodes, Handle handle) { link(nodes, handle, kNullHandle, front_); }
  void push_back(Nodes& nodes, Handle handle) { link(nodes, handle, back_, kNullHandle); }

  void remove(Nodes& nodes, Handle handle) {
    unlink(nodes, handle);
    --count_;
    weight_ -= nodes.weight(handle);
  }

  void move_to_front(Nodes& nodes, Handle handle) {
    if (front_ == handle) return;
    remove(nodes, handle);
    push_front(nodes, handle);
  }

  /// Puts `fresh` in the place of `old`, counted with the weight of `old`.
  void replace(Nodes& nodes, Handle old, Handle fresh) {
    PolicyLinks& links = nodes.links(fresh);
    links = std::exchange(nodes.links(old), PolicyLinks{});
    (links.prev == kNullHandle ? front_ : nodes.links(links.prev).next) = fresh;
    (links.next == kNullHandle ? back_ : nodes.links(links.next).prev) = fresh;
  }

  void reweigh(std::uint32_t old_weight, std::uint32_t new_weight) {
    weight_ = weight_ - old_weight + new_weight;
  }

  /// True when the links, the count and the weight agree with a walk in both directions.
  [[nodiscard]] bool validate(Nodes& nodes) const {
    std::uint64_t count = 0;
    std::uint64_t weight = 0;
    Handle previous = kNullHandle;
    for (Handle at = front_; at != kNullHandle; at = nodes.links(at).next) {
      const PolicyLinks& links = nodes.links(at);
      if (links.prev != previous || links.segment != segment_ || ++count > count_) return false;
      weight += nodes.weight(at);
      previous = at;
    }
    return previous == back_ && count == count_ && weight == weight_;
  }

 private:
  void link(Nodes& nodes, Handle handle, Handle prev, Handle next) {
    PolicyLinks& links = nodes.links(handle);
    links.prev = prev;
    links.next = next;
    links.segment = segment_;
    (prev == kNullHandle ? front_ : nodes.links(prev).next) = handle;
    (next == kNullHandle ? back_ : nodes.links(next).prev) = handle;
    ++count_;
    weight_ += nodes.weight(handle);
  }

  void unlink(Nodes& nodes, Handle handle) {
    PolicyLinks& links = nodes.links(handle);
    (links.prev == kNullHandle ? front_ : nodes.links(links.prev).next) = links.next;
    (links.next == kNullHandle ? back_ : nodes.links(links.next).prev) = links.prev;
    links = PolicyLinks{};
  }

  Handle front_ = kNullHandle;
  Handle back_ = kNullHandle;
  std::uint64_t count_ = 0;
  std::uint64_t weight_ = 0;
  Segment segment_;
};

}  // namespace llm_edge_cache::engine
