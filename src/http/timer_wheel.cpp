#include "http/timer_wheel.hpp"

#include <algorithm>

namespace llm_edge_cache::http {

void Timer::cancel() {
  set_ = false;
  if (wheel_ != nullptr) wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() {
  for (Timer* timer : slots_) {
    while (timer != nullptr) {
      Timer* const next = timer->next_;
      timer->wheel_ = nullptr;
      timer->set_ = false;
      timer = next;
    }
  }
}

TimePoint TimerWheel::set(Timer& timer, TimePoint now, std::chrono::milliseconds delay) {
  const auto due = now - start_ + std::max(delay, std::chrono::milliseconds(0));
  // Rounded up, so that a timer never fires early.
  const std::int64_t tick = (due + kTick - TimePoint::duration(1)) / kTick;
  timer.deadline_tick_ = std::max(tick, done_tick_ + 1);
  timer.set_ = true;
  // A slot that comes before the new deadline moves the timer on when its turn is there.
  if (timer.wheel_ != nullptr && timer.slot_tick_ > timer.deadline_tick_) unlink(timer);
  if (timer.wheel_ == nullptr) link(timer, timer.deadline_tick_);
  return time_of(timer.slot_tick_);
}

std::optional<TimePoint> TimerWheel::next_due() const {
  if (size_ == 0) return std::nullopt;
  std::int64_t tick = done_tick_ + 1;
  while (slots_[static_cast<std::size_t>(tick) % kSlots] == nullptr) ++tick;
  return time_of(tick);
}

std::size_t TimerWheel::advance(TimePoint now) {
  const std::int64_t now_tick = (now - start_) / kTick;
  std::size_t fired = 0;
  // After a long pause one turn visits every slot; no need to repeat it.
  done_tick_ = std::max(done_tick_, now_tick - static_cast<std::int64_t>(kSlots));
  while (done_tick_ < now_tick) fired += fire_slot(++done_tick_);
  return fired;
}

std::size_t TimerWheel::fire_slot(std::int64_t tick) {
  std::size_t fired = 0;
  Timer* timer = slots_[static_cast<std::size_t>(tick) % kSlots];
  while (timer != nullptr) {
    firing_next_ = timer->next_;
    if (timer->deadline_tick_ <= tick) {
      unlink(*timer);
      timer->set_ = false;
      ++fired;
      timer->on_expired();
    } else if (timer->slot_tick_ <= tick) {
      unlink(*timer);
      link(*timer, timer->deadline_tick_);
    }
    timer = firing_next_;
  }
  firing_next_ = nullptr;
  return fired;
}

void TimerWheel::link(Timer& timer, std::int64_t tick) {
  Timer*& head = slots_[static_cast<std::size_t>(tick) % kSlots];
  timer.wheel_ = this;
  timer.slot_tick_ = tick;
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head != nullptr) head->previous_ = &timer;
  head = &timer;
  ++size_;
}

void TimerWheel::unlink(Timer& timer) {
  if (firing_next_ == &timer) firing_next_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[static_cast<std::size_t>(timer.slot_tick_) % kSlots] = timer.next_;
  }
  timer.wheel_ = nullptr;
  --size_;
}

}  // namespace llm_edge_cache::http
