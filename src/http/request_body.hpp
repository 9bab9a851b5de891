// The body of the request under way: who gets it, how large it may be, and how long it may take.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/timer_wheel.hpp"

namespace llm_edge_cache::http {

// Does no I/O. A sink may call back into whoever owns this, which may end the body meanwhile.
class RequestBody {
 public:
  enum class State {
    kUnclaimed,   // nobody has asked for it yet: it stays in the socket
    kStreaming,   // goes to the sink
    kPaused,      // the sink wants none for now
    kDiscarding,  // the answer is out: read to reach the next request
    kDone,
  };
  struct Pace {
    std::chrono::milliseconds grace{30'000};
    std::int64_t min_bytes_per_second = 1'024;
  };

  // A new request; without a body it is done at once.
  void begin(bool has_body);
  // The whole body of an unclaimed request, which came with its head. A view, until keep().
  void have(std::string_view whole) { at_hand_ = whole; }
  // Of an unclaimed request.
  [[nodiscard]] const std::optional<std::string_view>& at_hand() const { return at_hand_; }
  // Copies what is at hand, for a handler that asks for it later.
  void keep();
  // Gives whoever has claimed it what was at hand. False when it is larger than allowed.
  [[nodiscard]] bool deliver_at_hand();
  void claim(Exchange::BodySink sink, std::size_t max_bytes, TimePoint now);
  void claim(std::shared_ptr<BodyReceiver> receiver, std::size_t max_bytes, TimePoint now);
  void discard(std::size_t max_bytes, TimePoint now);
  void pause();
  void resume(TimePoint now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
  [[nodiscard]] bool wants_input() const {
    return state_ == State::kStreaming || state_ == State::kDiscarding;
  }

  // False, and nothing is delivered, when the body gets larger than allowed.
  [[nodiscard]] bool take(std::string_view bytes);
  // The last bytes, and the end.
  [[nodiscard]] bool take_last(std::string_view bytes);
  // Done; tells the sink or receiver, if there is one that has not heard.
  void end(const Status& status);
  // Done; nobody hears of it.
  void forget();

  // How long a sender that keeps the pace may take from now on; not positive: it has not.
  [[nodiscard]] std::chrono::milliseconds time_left(TimePoint now, Pace pace) const;

 private:
  void start(std::size_t max_bytes, TimePoint now);
  [[nodiscard]] bool count(std::size_t bytes);

  State state_ = State::kDone;
  std::shared_ptr<Exchange::BodySink> sink_;  // shared: it may be dropped while it runs
  std::shared_ptr<BodyReceiver> receiver_;
  std::string whole_;  // for the receiver, of a body that comes in pieces; what keep() copied
  std::optional<std::string_view> at_hand_;
  std::size_t max_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::size_t clocked_bytes_ = 0;  // since clock_start_
  TimePoint clock_start_;
};

}  // namespace llm_edge_cache::http
