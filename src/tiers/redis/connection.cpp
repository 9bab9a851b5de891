#include "tiers/redis/connection.hpp"

#include <algorithm>
#include <utility>

#include "tiers/redis/heartbeat.hpp"

namespace llm_edge_cache::redis {
namespace {

// Writes are sent while less than this is on its way, so that a reader does not wait behind a
// backlog of them.
constexpr std::size_t kMaxUnwrittenBytes = 256U << 10U;
constexpr std::size_t kMaxOutstandingBeforeWrites = 4'096;
// A server that has been silent for so many operation deadlines is taken for frozen: the connection
// is given up, and with it the places of the answers it still owes.
constexpr int kDeadlinesUntilFrozen = 5;

Error gate_shut() {
  return {ErrorCode::kUnavailable, "redis: not available"};
}

}  // namespace

Connection::Connection(boost::asio::io_context& context, Options options, TierEventLog& events,
                       AtomicCounters& counters)
    : context_(context),
      options_(std::move(options)),
      events_(events),
      counters_(counters),
      breaker_(options_.breaker),
      backoff_(options_.backoff, options_.seed),
      timer_(context) {}

void Connection::start() {
  begin_attempt();
  settle();
}

void Connection::stop(const Error& error) {
  state_ = State::kStopped;
  if (options_.locator != nullptr) options_.locator->cancel();
  writes_.close(error);
  if (const auto link = std::exchange(link_, nullptr)) {
    link->close();
    link->session().close(error);
  }
  timer_.cancel();
  publish_gate();
}

void Connection::submit(OperationPtr operation, Order order, TimePoint time) {
  if (order == Order::kBehindWrites) {
    writes_.push(std::move(operation));
  } else if (!gate_open()) {
    operation->fail(gate_shut());
  } else if (link_ != nullptr) {
    link_->session().submit(std::move(operation), time);
  } else {
    early_.push_back(std::move(operation));
  }
}

std::vector<OperationPtr> Connection::take_waiting() {
  std::vector<OperationPtr> taken;
  while (!writes_.empty()) taken.push_back(writes_.pop());
  return taken;
}

void Connection::begin_attempt() {
  state_ = State::kConnecting;
  attempt_deadline_ = now() + options_.connect_timeout;
  if (options_.locator == nullptr) return connect(options_.address);
  options_.locator->locate([this](const Result<ServerAddress>& address) {
    if (address.ok()) {
      connect(*address);
    } else {
      lose(address.error());
    }
    settle();
  });
}

void Connection::connect(const ServerAddress& address) {
  Session::Options session = options_.session;
  session.predecessor = predecessor_;
  link_ = std::make_shared<Link>(context_, address, options_.tls,
                                 Session(session, breaker_, options_.redirector),
                                 static_cast<Link::Owner&>(*this));
  for (OperationPtr& operation : std::exchange(early_, {})) {
    link_->session().submit(std::move(operation), now());
  }
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
  predecessor_ = link_->session().identity();
  events_.report(TierEventKind::kConnected, "connected to " + options_.name, time);
  if (options_.on_link) options_.on_link(true);
}

void Connection::drop(const Error& error) {
  if (state_ != State::kReady) return;
  lose(error);
  retry_at_ = now();
}

void Connection::lose(const Error& error) {
  const TimePoint time = now();
  const bool was_ready = state_ == State::kReady;
  const std::shared_ptr<Link> link = std::exchange(link_, nullptr);
  if (options_.locator != nullptr) options_.locator->cancel();
  if (link != nullptr) link->close();
  const bool has_answered = was_ready && link->session().answered() > 0;
  if (has_answered || (was_ready && time - ready_since_ >= options_.backoff.max)) {
    backoff_.reset();
  }
  state_ = State::kWaiting;
  first_attempt_ = false;
  retry_at_ = has_answered && options_.retries_at_once ? time : time + backoff_.next();
  breaker_.record_failure(time);
  if (error.code == ErrorCode::kProtocol) counters_.add_error(error.code);
  publish_gate();  // before anyone who is told of the loss asks again
  if (options_.on_link) options_.on_link(false);
  if (link != nullptr) link->session().close(error);
  for (const OperationPtr& operation : std::exchange(early_, {})) operation->fail(error);
  events_.report(was_ready ? TierEventKind::kConnectionLost : TierEventKind::kConnectFailed,
                 error.message, time);
}

void Connection::send_probe(TimePoint time) {
  if (state_ != State::kReady || link_->session().stalled() || !breaker_.start_probe(time)) return;
  auto probe = std::make_unique<Heartbeat>(time + options_.operation_timeout);
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
  if (state_ == State::kStopped) return;
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
  const bool open = gate_open();
  const bool changed = accepting_.exchange(open, std::memory_order_acq_rel) != open;
  // Callers who are turned away meet an open breaker, be it for a stall or a lost connection that
  // has not yet counted failures enough.
  const BreakerState state = breaker_.state();
  breaker_state_.store(!open && state == BreakerState::kClosed ? BreakerState::kOpen : state,
                       std::memory_order_release);
  if (changed && options_.on_gate) options_.on_gate();
}

std::optional<TimePoint> Connection::next_wake() const {
  std::optional<TimePoint> wake = writes_.next_deadline();
  const auto consider = [&wake](std::optional<TimePoint> time) {
    if (time && (!wake || *time < *wake)) wake = time;
  };
  if (state_ == State::kConnecting) consider(attempt_deadline_);
  if (!early_.empty()) consider(early_.front()->deadline);
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
  std::erase_if(early_, [this, time](const OperationPtr& operation) {
    if (operation->deadline > time) return false;
    first_attempt_ = false;  // whoever came now would wait as long
    operation->fail({ErrorCode::kDeadlineExceeded, "redis: no answer in time"});
    return true;
  });
  if (link_ != nullptr) link_->session().expire(time);
  if (state_ == State::kConnecting && time >= attempt_deadline_) {
    lose({ErrorCode::kDeadlineExceeded, "redis: no connection to " + options_.name + " in time"});
  } else if (state_ == State::kReady && link_->session().stalled() &&
             time >= *link_->session().waiting_since() +
                         kDeadlinesUntilFrozen * options_.operation_timeout) {
    lose({ErrorCode::kUnavailable, "redis: the server does not answer"});
  } else if (state_ == State::kWaiting && !first_attempt_ && time >= retry_at_) {
    begin_attempt();
  }
  settle();
}

}  // namespace llm_edge_cache::redis
