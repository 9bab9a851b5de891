#include "http/address_book.hpp"

#include <algorithm>

namespace llm_edge_cache::http {
namespace {

std::vector<Endpoint> families_in_turn(const std::vector<Endpoint>& endpoints) {
  if (endpoints.empty()) return {};
  const auto first_family = endpoints.front().protocol();
  std::vector<Endpoint> first;
  std::vector<Endpoint> second;
  for (const Endpoint& endpoint : endpoints) {
    (endpoint.protocol() == first_family ? first : second).push_back(endpoint);
  }
  std::vector<Endpoint> in_turn;
  in_turn.reserve(endpoints.size());
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) in_turn.push_back(first[i]);
    if (i < second.size()) in_turn.push_back(second[i]);
  }
  return in_turn;
}

}  // namespace

std::vector<Endpoint> AddressBook::order(const std::vector<Endpoint>& resolved,
                                         TimePoint now) const {
  std::vector<Endpoint> ordered = families_in_turn(resolved);
  std::stable_partition(ordered.begin(), ordered.end(),
                        [&](const Endpoint& endpoint) { return !is_dead(endpoint, now); });
  return ordered;
}

void AddressBook::note_dead(const Endpoint& endpoint, TimePoint now) {
  note_alive(endpoint);
  if (dead_.size() == kMaxRemembered) dead_.erase(dead_.begin());
  dead_.push_back({endpoint, now});
}

void AddressBook::note_alive(const Endpoint& endpoint) {
  std::erase_if(dead_, [&](const Dead& dead) { return dead.endpoint == endpoint; });
}

bool AddressBook::is_dead(const Endpoint& endpoint, TimePoint now) const {
  return std::any_of(dead_.begin(), dead_.end(), [&](const Dead& dead) {
    return dead.endpoint == endpoint && now - dead.since < kRemembered;
  });
}

}  // namespace llm_edge_cache::http
