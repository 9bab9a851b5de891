#include "tiers/redis/flight_desk.hpp"

#include <algorithm>
#include <vector>

namespace llm_edge_cache::redis {

void FlightDesk::take_turn(const KeyDigest& key, TimePoint now, Turn turn) {
  waits_.push_back({.key = key, .turn = std::move(turn), .token = actions_.make_token()});
  const auto wait = std::prev(waits_.end());
  by_key_.emplace(key, wait);
  ask(wait, now);
}

void FlightDesk::ask(Waits::iterator wait, TimePoint now) {
  wait->is_asking = true;
  wait->ask_at = now + kAskAgain;
  const std::uint64_t number = ++questions_;
  asking_.emplace(number, wait);
  actions_.ask(
      Kind::kAcquire, wait->key, wait->token,
      [this, number, now](const Result<bool>& acquired) { on_asked(number, now, acquired); });
}

void FlightDesk::on_asked(std::uint64_t number, TimePoint now, const Result<bool>& acquired) {
  const auto found = asking_.find(number);
  if (found == asking_.end()) return;
  const auto wait = found->second;
  asking_.erase(found);
  wait->is_asking = false;
  if (!acquired.ok()) return end(wait, FlightTurn::Kind::kAlone);
  if (*acquired) {
    ++counts_.leases;
    if (wait->has_waited) ++counts_.takeovers;
    held_.emplace(wait->token, Held{wait->key, now + renew_after_});
    return end(wait, FlightTurn::Kind::kLease);
  }
  if (wait->news) return end(wait, *wait->news);
  if (!std::exchange(wait->has_waited, true)) ++counts_.waits;
}

void FlightDesk::end(Waits::iterator wait, FlightTurn::Kind kind) {
  auto [first, last] = by_key_.equal_range(wait->key);
  by_key_.erase(std::find_if(first, last, [&](const auto& one) { return one.second == wait; }));
  const Wait ended = std::move(*wait);
  waits_.erase(wait);
  if (kind == FlightTurn::Kind::kLanded) ++counts_.waits_landed;
  ended.turn(kind, kind == FlightTurn::Kind::kLease ? ended.token : std::string());
}

void FlightDesk::end_waits(const KeyDigest& key, FlightTurn::Kind kind) {
  std::vector<Waits::iterator> ended;
  const auto [first, last] = by_key_.equal_range(key);
  for (auto one = first; one != last; ++one) {
    Wait& wait = *one->second;
    if (wait.is_asking) {
      wait.news = kind;  // it may have the lease by now
    } else {
      ended.push_back(one->second);
    }
  }
  for (const auto wait : ended) end(wait, kind);
}

void FlightDesk::give_back(const KeyDigest& key, const std::string& token, Ending ending) {
  held_.erase(token);
  if (ending == Ending::kWritten) return on_landed(key);
  const auto kind =
      ending == Ending::kLanded ? FleetMessage::Kind::kLanded : FleetMessage::Kind::kNotStored;
  actions_.ask(Kind::kRelease, key, token, [this, key, kind](const Result<bool>& released) {
    // Another holds it: what becomes of the flight is for that one to say.
    if (!released.ok() || !*released) return;
    actions_.tell(kind, key);
    end_waits(key, kind == FleetMessage::Kind::kLanded ? FlightTurn::Kind::kLanded
                                                       : FlightTurn::Kind::kAlone);
  });
}

void FlightDesk::on_time(TimePoint now) {
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const auto due = wait++;  // it may end inside the call
    if (!due->is_asking && due->ask_at <= now) ask(due, now);
  }
  for (auto& [token, held] : held_) {
    if (held.renew_at > now) continue;
    held.renew_at = now + renew_after_;
    // One that is lost is found out when the answer is written.
    actions_.ask(Kind::kRenew, held.key, token, [](const Result<bool>&) {});
  }
}

std::optional<TimePoint> FlightDesk::next_time() const {
  std::optional<TimePoint> next;
  const auto consider = [&next](TimePoint time) {
    if (!next || time < *next) next = time;
  };
  for (const Wait& wait : waits_) {
    if (!wait.is_asking) consider(wait.ask_at);
  }
  for (const auto& [token, held] : held_) consider(held.renew_at);
  return next;
}

void FlightDesk::close() {
  asking_.clear();
  while (!waits_.empty()) end(waits_.begin(), FlightTurn::Kind::kAlone);
}

}  // namespace llm_edge_cache::redis
