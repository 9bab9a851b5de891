#include "tiers/redis/connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr std::size_t kMaxQueued = 1U << 16U;
// Writes are sent while less than this is on its way, so that a reader does not wait behind a
// backlog of them.
constexpr std::size_t kMaxUnwrittenBytes = 256U << 10U;
constexpr std::size_t kMaxOutstandingBeforeWrites = 4'096;
// A server that has been silent for so many operation deadlines is taken for frozen: the connection
// is given up, and with it the places of the answers it still owes.
constexpr int kDeadlinesUntilFrozen = 5;

TimePoint now() {
  return std::chrono::steady_clock::now();
}

Error cancelled() {
  return {ErrorCode::kCancelled, "redis: the cache is shutting down"};
}
Error gate_shut() {
  return {ErrorCode::kUnavailable, "redis: not available"};
}

// The breaker's own question. Its outcome reaches the breaker through the session.
class Probe final : public Operation {
 public:
  bool append_to(std::string& out) override {
    append_command(out, {"PING"});
    return true;
  }
  bool complete(RespReply reply) override { return reply[0].type == RespType::kSimpleString; }
  void fail(const Error& /*error*/) override {}
};

}  // namespace

Connection::Connection(boost::asio::io_context& context, Options options, TierEventLog& events)
    : context_(context),
      options_(std::move(options)),
      events_(events),
      queue_(kMaxQueued),
      breaker_(options_.breaker),
      backoff_(options_.backoff, options_.seed),
      timer_(context) {}

void Connection::start() {
  boost::asio::post(context_, [this] {
    if (state_ == State::kStopped) return;
    connect();
    settle();
  });
}

void Connection::stop() {
  boost::asio::post(context_, [this] {
    queue_.close();
    state_ = State::kStopped;
    drain();
    writes_.close(cancelled());
    if (link_ != nullptr) {
      link_->close();
      std::exchange(link_, nullptr)->session().close(cancelled());
    }
    timer_.cancel();
    publish_gate();
  });
}

void Connection::submit(OperationPtr operation) {
  operation->deadline = now() + options_.operation_timeout;
  enqueue({std::move(operation), false});
}

void Connection::submit_in_order(OperationPtr operation) {
  enqueue({std::move(operation), true});
}

void Connection::enqueue(OperationQueue::Item item) {
  switch (queue_.push(item)) {
    case OperationQueue::Push::kFirst:
      boost::asio::post(context_, [this] { drain(); });
      return;
    case OperationQueue::Push::kQueued:
      return;
    case OperationQueue::Push::kFull:
      item.operation->fail({ErrorCode::kOverloaded, "redis: too many commands are queued"});
      return;
    case OperationQueue::Push::kClosed:
      item.operation->fail(cancelled());
      return;
  }
}

void Connection::drain() {
  queue_.take(taken_);
  const TimePoint time = now();
  for (OperationQueue::Item& item : taken_) {
    if (state_ == State::kStopped) {
      item.operation->fail(cancelled());
    } else if (item.ordered) {
      writes_.push(std::move(item.operation));
    } else if (gate_open() && link_ != nullptr) {
      link_->session().submit(std::move(item.operation), time);
    } else {
      item.operation->fail(gate_shut());
    }
  }
  taken_.clear();
  if (state_ != State::kStopped) settle();
}

void Connection::connect() {
  state_ = State::kConnecting;
  attempt_deadline_ = now() + options_.connect_timeout;
  link_ = std::make_shared<Link>(context_, options_.url, options_.session, breaker_,
                                 static_cast<Link::Owner&>(*this));
  link_->start();
}

void Connection::on_received() {
  const TimePoint time = now();
  if (state_ == State::kConnecting && link_->session().state() == Session::State::kReady) {
    become_ready(time);
  }
  settle();
}

void Connection::on_written() {
  settle();
}

void Connection::on_lost(const Error& error) {
  lose(error);
  settle();
}

void Connection::become_ready(TimePoint time) {
  state_ = State::kReady;
  first_attempt_ = false;
  ready_since_ = time;
  // The log-in ends with a PING: as good as a probe, where one is due.
  if (breaker_.start_probe(time)) breaker_.record_success();
  events_.report(TierEventKind::kConnected, "connected to " + options_.url.to_string(), time);
}

void Connection::lose(const Error& error) {
  const TimePoint time = now();
  const bool was_ready = state_ == State::kReady;
  const std::shared_ptr<Link> link = std::exchange(link_, nullptr);
  link->close();
  if (was_ready &&
      (link->session().answered() > 0 || time - ready_since_ >= options_.backoff.max)) {
    backoff_.reset();
  }
  state_ = State::kWaiting;
  first_attempt_ = false;
  retry_at_ = time + backoff_.next();
  breaker_.record_failure(time);
  publish_gate();  // before anyone who is told of the loss asks again
  link->session().close(error);
  events_.report(was_ready ? TierEventKind::kConnectionLost : TierEventKind::kConnectFailed,
                 error.message, time);
}

void Connection::send_probe(TimePoint time) {
  if (state_ != State::kReady || link_->session().stalled() || !breaker_.start_probe(time)) return;
  auto probe = std::make_unique<Probe>();
  probe->deadline = time + options_.operation_timeout;
  if (!link_->session().submit(std::move(probe), time)) breaker_.record_failure(time);
}

void Connection::send_writes(TimePoint time) {
  while (!writes_.empty() && link_->unwritten_bytes() < kMaxUnwrittenBytes &&
         link_->session().outstanding() < kMaxOutstandingBeforeWrites) {
    OperationPtr operation = writes_.pop();
    operation->deadline = time + options_.operation_timeout;
    link_->session().submit(std::move(operation), time);
  }
}

void Connection::settle() {
  const TimePoint time = now();
  publish_gate();
  if (!gate_open()) {
    writes_.stop_waiting(gate_shut());
    send_probe(time);
  } else if (state_ == State::kReady) {
    send_writes(time);
  }
  if (link_ != nullptr) link_->write();
  publish_gate();
  set_timer();
}

bool Connection::gate_open() const {
  if (breaker_.state() != BreakerState::kClosed) return false;
  if (link_ != nullptr && link_->session().stalled()) return false;
  return state_ == State::kReady || (first_attempt_ && state_ != State::kStopped);
}

void Connection::publish_gate() {
  accepting_.store(gate_open(), std::memory_order_release);
  breaker_state_.store(breaker_.state(), std::memory_order_release);
}

std::optional<TimePoint> Connection::next_wake() const {
  std::optional<TimePoint> wake = writes_.next_deadline();
  const auto consider = [&wake](std::optional<TimePoint> time) {
    if (time && (!wake || *time < *wake)) wake = time;
  };
  if (state_ == State::kConnecting) consider(attempt_deadline_);
  if (state_ == State::kWaiting && !first_attempt_) consider(retry_at_);
  if (link_ != nullptr) {
    const Session& session = link_->session();
    consider(session.next_deadline());
    if (state_ == State::kReady && session.stalled()) {
      consider(*session.waiting_since() + kDeadlinesUntilFrozen * options_.operation_timeout);
    } else if (state_ == State::kReady && breaker_.state() == BreakerState::kOpen) {
      consider(breaker_.probe_at());
    }
  }
  return wake;
}

void Connection::set_timer() {
  const std::optional<TimePoint> wake = next_wake();
  // A timer that is set for earlier than needed is left alone: it will look again when it fires,
  // which is once per deadline and not once per command.
  if (!wake || (timer_set_for_ && *timer_set_for_ <= *wake)) return;
  timer_set_for_ = wake;
  timer_.expires_at(*wake);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || state_ == State::kStopped) return;
    on_timer();
  });
}

void Connection::on_timer() {
  timer_set_for_.reset();
  const TimePoint time = now();
  writes_.expire(time);
  if (link_ != nullptr) link_->session().expire(time);
  if (state_ == State::kConnecting && time >= attempt_deadline_) {
    lose({ErrorCode::kDeadlineExceeded,
          "redis: no connection to " + options_.url.to_string() + " in time"});
  } else if (state_ == State::kReady && link_->session().stalled() &&
             time >= *link_->session().waiting_since() +
                         kDeadlinesUntilFrozen * options_.operation_timeout) {
    lose({ErrorCode::kUnavailable, "redis: the server does not answer"});
  } else if (state_ == State::kWaiting && !first_attempt_ && time >= retry_at_) {
    connect();
  }
  settle();
}

}  // namespace llm_edge_cache::redis
