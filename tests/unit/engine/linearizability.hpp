// Whether a history of concurrent calls on one key could have happened one call after the other.
//
// Wing and Gong, "Testing and verifying concurrent objects" (1993): search for an order in which no
// call comes before one that had returned when it began, and each result fits the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace llm_edge_cache::engine {

struct Call {
  enum class Kind : std::uint8_t { kGet, kPut, kRemove };

  Kind kind;
  std::optional<int> value;  ///< kPut: what was put. kGet: what was found. kRemove: 1 if found.
  std::uint64_t began;
  std::uint64_t returned;
};

class LinearizabilityCheck {
 public:
  /// At most 64 calls on one key, which is absent at first.
  explicit LinearizabilityCheck(std::vector<Call> calls) : calls_(std::move(calls)) {}

  [[nodiscard]] bool linearizable() { return search(0, std::nullopt); }

 private:
  using State = std::optional<int>;

  bool search(std::uint64_t done, State state) {
    if (done == all()) return true;
    if (!seen_.emplace(done, state).second) return false;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if ((done >> i & 1) != 0 || !may_be_next(i, done)) continue;
      State after = state;
      if (fits(calls_[i], after) && search(done | std::uint64_t{1} << i, after)) return true;
    }
    return false;
  }

  [[nodiscard]] std::uint64_t all() const {
    return calls_.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << calls_.size()) - 1;
  }

  /// No call that is not done returned before this one began.
  [[nodiscard]] bool may_be_next(std::size_t candidate, std::uint64_t done) const {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if ((done >> i & 1) == 0 && calls_[i].returned < calls_[candidate].began) return false;
    }
    return true;
  }

  static bool fits(const Call& call, State& state) {
    switch (call.kind) {
      case Call::Kind::kGet:
        return call.value == state;
      case Call::Kind::kPut:
        state = call.value;
        return true;
      case Call::Kind::kRemove:
        return call.value.has_value() == std::exchange(state, std::nullopt).has_value();
    }
    return false;
  }

  std::vector<Call> calls_;
  std::set<std::pair<std::uint64_t, State>> seen_;
};

}  // namespace llm_edge_cache::engine
