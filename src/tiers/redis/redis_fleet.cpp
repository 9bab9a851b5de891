#include "tiers/redis/redis_fleet.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>

#include "base/random.hpp"
#include "tiers/common/wait.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTokenBytes = 16;
// How long a new cache waits for its channel: what it took into memory before that would be
// dropped.
constexpr milliseconds kMaxFirstWait{1'000};
constexpr milliseconds kShortestTick{20};

// A script works on one slot.
bool may_hold_leases(const TierContext& tier) {
  const KeyDigest any{};
  return tier.config.flight_lease_ms > 0 &&
         key_slot(lease_key(tier, any)) == key_slot(tier.stored_key(any));
}

}  // namespace

RedisFleet::RedisFleet(boost::asio::io_context& context, const TierContext& tier, Options options)
    : context_(context),
      tier_(tier),
      options_(std::move(options)),
      has_leases_(may_hold_leases(tier)),
      channel_(options_.make_channel ? options_.make_channel(channel_options()) : nullptr),
      desk_(desk_actions(), wait_of(tier.config.flight_lease_ms)),
      timer_(context) {
  const MutexLock lock(door_->mutex);
  door_->fleet = this;
}

FleetChannel::Options RedisFleet::channel_options() {
  FleetChannel::Options options;
  options.on_message = [this](const FleetMessage& message) { hear(message); };
  options.on_listening = [this] {
    // What memory has may have been changed unheard.
    note_change_of_all();
  };
  options.on_first_attempt = [this] { first_attempt_ended_(); };
  return options;
}

FlightDesk::Actions RedisFleet::desk_actions() {
  return {.ask =
              [this](FlightDesk::Kind kind, const KeyDigest& key, const std::string& token,
                     LeaseOperation::Handler handler) {
                // Back to this thread: the backend may be on another.
                auto on_answer = [this, handler = std::move(handler)](Result<bool> answer) {
                  boost::asio::post(context_, [this, handler, answer = std::move(answer)] {
                    handler(answer);
                    publish_counts();
                    set_timer();
                  });
                };
                options_.backend_of(key).submit(
                    std::make_unique<LeaseOperation>(tier_, kind, key, token, std::move(on_answer)),
                    Backend::Order::kAtOnce);
              },
          .tell = [this](FleetMessage::Kind kind, const KeyDigest& key) { tell(kind, key); },
          .make_token = [] { return random_bytes(kTokenBytes); }};
}

void RedisFleet::listen(FleetListener& listener) {
  listener_.store(&listener);
  if (channel_ == nullptr) return;
  const auto ended = std::make_shared<std::promise<void>>();
  first_attempt_ended_ = [ended] { ended->set_value(); };
  channel_->start();
  (void)ended->get_future().wait_for(
      std::min(kMaxFirstWait, wait_of(tier_.config.operation_timeout_ms)));
}

void RedisFleet::stop() {
  {
    const MutexLock lock(door_->mutex);
    door_->fleet = nullptr;
  }
  if (channel_ != nullptr && listener_.load() != nullptr) {
    const auto told = std::make_shared<std::promise<void>>();
    channel_->drain([told] { told->set_value(); });
    (void)told->get_future().wait_for(wait_of(tier_.config.operation_timeout_ms));
    channel_->stop();
  }
  boost::asio::post(context_, [this] {
    stopped_ = true;
    timer_.cancel();
    desk_.close();
  });
}

void RedisFleet::take_turn(const KeyDigest& key, TurnHandler handler) {
  if (!has_leases_ || !options_.backend_of(key).accepting()) return handler({});
  boost::asio::post(context_, [this, key, handler = std::move(handler)] {
    if (stopped_) return handler({});
    desk_.take_turn(key, now(), [this, key, handler](FlightTurn::Kind kind, std::string token) {
      publish_counts();  // whoever is told may ask for them
      FlightTurn turn{.kind = kind};
      if (kind == FlightTurn::Kind::kLease) {
        turn.lease = std::make_shared<HeldLease>(key, std::move(token), giver_back());
      }
      handler(std::move(turn));
    });
  });
}

HeldLease::GiveBack RedisFleet::giver_back() const {
  return [door = door_](const KeyDigest& key, const std::string& token, HeldLease::Ending ending) {
    const MutexLock lock(door->mutex);
    if (door->fleet != nullptr) door->fleet->give_back(key, token, ending);
  };
}

void RedisFleet::give_back(const KeyDigest& key, const std::string& token,
                           FlightDesk::Ending ending) {
  boost::asio::post(context_, [this, key, token, ending] {
    if (!stopped_) desk_.give_back(key, token, ending);
  });
}

void RedisFleet::put(const KeyDigest& key, EntryPtr entry, FlightLeasePtr lease) {
  options_.put(key, std::move(entry), std::static_pointer_cast<HeldLease>(std::move(lease)));
}

void RedisFleet::hear(const FleetMessage& message) {
  if (message.kind == FleetMessage::Kind::kAll) return note_change_of_all();
  for (const KeyDigest& key : message.keys) {
    if (message.kind == FleetMessage::Kind::kChanged) {
      tier_.note_change(key);
      writes_.note_change(key);
      if (auto* const listener = listener_.load()) listener->on_changed(key);
    }
    if (message.kind == FleetMessage::Kind::kNotStored) {
      desk_.on_not_stored(key);
    } else {
      desk_.on_landed(key);
    }
  }
  publish_counts();
}

void RedisFleet::note_change_of_all() {
  tier_.note_change_of_all();
  writes_.note_change_of_all();
  if (auto* const listener = listener_.load()) listener->on_all_changed();
}

void RedisFleet::on_write_ended(const KeyDigest& key) {
  if (!writes_.end(key)) return;
  // Whoever wrote may hold what the listener waits for.
  boost::asio::post(context_, [this, key] { tell_overtaken(key); });
}

void RedisFleet::on_changed(const KeyDigest& key) {
  tell(FleetMessage::Kind::kChanged, key);
}

void RedisFleet::on_all_changed() {
  tier_.note_change_of_all();
  if (channel_ != nullptr && listener_.load() != nullptr) channel_->announce_all();
}

void RedisFleet::on_removed_late(const KeyDigest& key) {
  boost::asio::post(context_, [this, key] { tell_overtaken(key); });
}

void RedisFleet::on_superseded(const KeyDigest& key) {
  superseded_.fetch_add(1, std::memory_order_relaxed);
  tell_overtaken(key);
}

void RedisFleet::tell(FleetMessage::Kind kind, const KeyDigest& key) {
  if (channel_ != nullptr && listener_.load() != nullptr) channel_->announce(kind, key);
}

void RedisFleet::tell_overtaken(const KeyDigest& key) {
  if (auto* const listener = listener_.load()) listener->on_overtaken(key);
}

void RedisFleet::set_timer() {
  const auto next = desk_.next_time();
  if (stopped_ || !next) return;
  const TimePoint at = std::max(*next, now() + kShortestTick);
  if (timer_set_for_ && *timer_set_for_ <= at) return;
  timer_set_for_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    timer_set_for_.reset();
    desk_.on_time(now());
    set_timer();
  });
}

void RedisFleet::publish_counts() {
  const MutexLock lock(counts_mutex_);
  counts_ = desk_.counts();
}

FleetReport RedisFleet::report() const {
  FleetReport report;
  if (channel_ != nullptr) channel_->add_to(report);
  report.superseded = superseded_.load(std::memory_order_relaxed);
  const MutexLock lock(counts_mutex_);
  report.leases = counts_.leases;
  report.waits = counts_.waits;
  report.waits_landed = counts_.waits_landed;
  report.takeovers = counts_.takeovers;
  return report;
}

}  // namespace llm_edge_cache::redis
