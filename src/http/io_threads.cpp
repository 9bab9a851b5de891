#include "http/io_threads.hpp"

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <ctime>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;

// For how many events of plain sockets Asio's sockets, its timers and what other threads post wait.
constexpr std::size_t kToldBetweenPolls = 16;

thread_local IoThread* this_thread = nullptr;

// RFC 9110, 5.6.7, whatever the locale.
std::string imf_fixdate(std::time_t seconds) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return text.data();
}

}  // namespace

struct IoThread::State {
  State(asio::io_context& context, int events)
      : ticker(context), guard(context.get_executor()), socket_events(context, events) {}
  ~State() { socket_events.release(); }  // it was only lent

  TimerWheel wheel{IoThread::now()};
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      ticker;
  std::optional<TimePoint> armed;
  std::optional<asio::executor_work_guard<Executor>> guard;

  // Tells Asio, while it waits, that sockets are ready.
  asio::posix::basic_stream_descriptor<Executor> socket_events;
  bool asio_watches = false;
  bool sockets_are_busy = false;
  std::optional<TimePoint> idle_since;  // while it polls for more
  std::size_t told_since_poll = 0;

  HeldAnswers held_answers;
  std::array<char, kScratchBytes> scratch{};
  std::string date;
  std::time_t date_second = 0;
};

IoThread::IoThread(std::size_t index, std::chrono::microseconds busy_poll)
    : index_(index),
      busy_poll_(busy_poll),
      state_(std::make_unique<State>(context_, socket_events_.native_handle())) {}

IoThread::~IoThread() = default;

IoThread* IoThread::current() {
  return this_thread;
}

void IoThread::run() {
  this_thread = this;
  while (!context_.stopped()) {
    if (state_->sockets_are_busy || socket_events_.has_calls() || polls_on()) {
      run_sockets();
    } else {
      sleep_in_asio();
    }
  }
  this_thread = nullptr;
}

// Sockets that were busy may be so again: looking at them alone saves the way through Asio. It does
// not wait, for a wait that ends soon has the kernel set a timer and take it back, which costs a
// virtual machine more than that way.
void IoThread::run_sockets() {
  const std::size_t told = socket_events_.dispatch();
  state_->held_answers.flush();
  state_->sockets_are_busy = told > 0;
  state_->told_since_poll += told;
  if (told > 0) state_->idle_since.reset();
  if (told > 0 && state_->told_since_poll < kToldBetweenPolls) return;
  state_->told_since_poll = 0;
  const bool is_polling = state_->idle_since.has_value();
  if ((told > 0 || is_polling) && context_.poll() > 0) state_->idle_since.reset();
}

// Asked when there is nothing to do.
bool IoThread::polls_on() {
  if (busy_poll_.count() == 0) return false;
  auto& since = state_->idle_since;
  if (!since) since = now();
  if (now() - *since < busy_poll_) return true;
  since.reset();
  return false;
}

void IoThread::sleep_in_asio() {
  sleeps_.fetch_add(1, std::memory_order_relaxed);
  if (!std::exchange(state_->asio_watches, true)) {
    state_->socket_events.async_wait(asio::posix::descriptor_base::wait_read,
                                     [this](const boost::system::error_code&) {
                                       state_->asio_watches = false;
                                       state_->sockets_are_busy = true;
                                     });
  }
  context_.run_one();
}

void IoThread::post(std::function<void()> task) {
  asio::post(context_, std::move(task));
}

void IoThread::set_timer(Timer& timer, std::chrono::milliseconds delay) {
  const TimePoint due = state_->wheel.set(timer, recent(), delay);
  if (!state_->armed || due < *state_->armed) arm_tick(due);
}

void IoThread::arm_tick(TimePoint when) {
  state_->armed = when;
  state_->ticker.expires_at(when);
  state_->ticker.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // armed again for an earlier time
    state_->armed.reset();
    state_->wheel.advance(now());
    const std::optional<TimePoint> next = state_->wheel.next_due();
    if (next && (!state_->armed || *next < *state_->armed)) arm_tick(*next);
  });
}

HeldAnswers& IoThread::held_answers() {
  return state_->held_answers;
}

std::span<char> IoThread::scratch() {
  return state_->scratch;
}

std::string_view IoThread::http_date() {
  const std::time_t second = std::time(nullptr);
  if (second != state_->date_second) {
    state_->date_second = second;
    state_->date = imf_fixdate(second);
  }
  return state_->date;
}

Status IoThreadsOptions::validate() const {
  if (threads > 1'024) {
    return Error{ErrorCode::kInvalidArgument, "threads is over 1024"};
  }
  if (busy_poll_us > kMaxBusyPollUs) {
    return Error{ErrorCode::kInvalidArgument, "busy_poll_us is over 1000000"};
  }
  return {};
}

IoThreads::IoThreads(IoThreadsOptions options) {
  if (const Status valid = options.validate(); !valid.ok()) {
    throw std::invalid_argument(valid.error().message);
  }
  std::size_t count = options.threads;
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < count; ++i) {
    threads_.push_back(
        std::make_unique<IoThread>(i, std::chrono::microseconds(options.busy_poll_us)));
  }
  for (const auto& thread : threads_) {
    running_.emplace_back([io = thread.get()] { io->run(); });
  }
}

IoThreads::~IoThreads() {
  stop();
}

void IoThreads::run_on_each(const std::function<void(IoThread&)>& task) {
  if (running_.empty()) {
    for (const auto& thread : threads_) task(*thread);
    return;
  }
  std::latch done(static_cast<std::ptrdiff_t>(threads_.size()));
  for (const auto& thread : threads_) {
    thread->post([&task, &done, io = thread.get()] {
      task(*io);
      done.count_down();
    });
  }
  done.wait();
}

void IoThreads::stop() {
  for (const auto& thread : threads_) thread->context_.stop();
  for (std::thread& thread : running_) thread.join();
  running_.clear();
}

}  // namespace llm_edge_cache::http
