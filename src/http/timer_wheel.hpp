// A hashed timer wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987, scheme
// 6) for the many deadlines that are pushed back again and again and hardly ever come.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace llm_edge_cache::http {

using TimePoint = std::chrono::steady_clock::time_point;

class TimerWheel;

// A deadline inside the object it guards. Setting it again costs one store while the new deadline
// is later than the old. Not thread-safe: it belongs to the thread of its wheel.
class Timer {
 public:
  Timer() = default;
  virtual ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel();
  [[nodiscard]] bool is_set() const { return set_; }

 protected:
  // Called once, after the deadline; may set or cancel any timer, and destroy this one.
  virtual void on_expired() = 0;

 private:
  friend class TimerWheel;

  TimerWheel* wheel_ = nullptr;  // null: in no slot
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  std::int64_t deadline_tick_ = 0;
  std::int64_t slot_tick_ = 0;
  bool set_ = false;
};

// A timer that calls a member function of its owner.
template <class Owner, void (Owner::*kMethod)()>
class MemberTimer final : public Timer {
 public:
  explicit MemberTimer(Owner& owner) : owner_(owner) {}

 private:
  void on_expired() override { (owner_.*kMethod)(); }
  Owner& owner_;
};

// Not thread-safe. Time is given by the caller, so tests move it by hand.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{16};
  static constexpr std::size_t kSlots = 512;  // a power of two; one turn is 8.2 s

  explicit TimerWheel(TimePoint start) : start_(start) {}
  // Timers that are still set are forgotten, unfired.
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires at the first advance() at or after now + delay, never before, up to one tick late.
  // Returns when advance() should be called for it at the latest.
  TimePoint set(Timer& timer, TimePoint now, std::chrono::milliseconds delay);
  // Fires what is due. Returns how many fired.
  std::size_t advance(TimePoint now);
  // The next time at which advance() may have something to do.
  [[nodiscard]] std::optional<TimePoint> next_due() const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend class Timer;

  [[nodiscard]] TimePoint time_of(std::int64_t tick) const { return start_ + tick * kTick; }
  void link(Timer& timer, std::int64_t tick);
  void unlink(Timer& timer);
  std::size_t fire_slot(std::int64_t tick);

  const TimePoint start_;
  std::int64_t done_tick_ = 0;  // every slot up to here was looked at
  std::size_t size_ = 0;
  Timer* firing_next_ = nullptr;  // what fire_slot looks at next: unlink() keeps it right
  std::array<Timer*, kSlots> slots_{};
};

}  // namespace llm_edge_cache::http
