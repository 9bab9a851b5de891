#include "proxy/flight.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::size_t kMaxPieceBytes = 64 * 1024;
// What it takes to keep a piece apart from its neighbours, about.
constexpr std::size_t kMinMeanPieceBytes = 64;
constexpr std::size_t kFewPieces = 1'024;

}  // namespace

Flight::Flight(FlightOptions options)
    : options_(std::move(options)), is_recording_(options_.max_recorded_bytes > 0) {}

Flight::~Flight() = default;

std::optional<Flight::Ticket> Flight::join(std::shared_ptr<FlightListener> listener,
                                           http::IoThread& thread) {
  if (is_purged()) {
    tell_source(&FlightSource::give_way);
    return std::nullopt;
  }
  return lead(std::move(listener), thread);
}

std::optional<Flight::Ticket> Flight::lead(std::shared_ptr<FlightListener> listener,
                                           http::IoThread& thread) {
  const MutexLock lock(mu_);
  if (first_piece_ > 0 || is_given_up_) {
    return std::nullopt;
  }
  Listener entry;
  entry.target = std::move(listener);
  entry.thread = &thread;
  return Ticket(listeners_.insert(listeners_.end(), std::move(entry)));
}

Flight::Progress Flight::read(Ticket ticket, std::size_t max_bytes) {
  Progress progress;
  bool resumes = false;
  {
    const MutexLock lock(mu_);
    Listener& listener = *ticket.at_;
    listener.is_notified = false;
    listener.is_waiting_for_socket = false;
    progress.head = head_;
    progress.is_cut_off = listener.is_cut_off;
    if (listener.is_cut_off) {
      return progress;
    }
    auto index = static_cast<std::size_t>(listener.next_piece - first_piece_);
    std::size_t taken_bytes = 0;
    for (; index < pieces_.size() && taken_bytes < max_bytes; ++index) {
      taken_bytes += pieces_[index].size();
      progress.pieces.push_back(pieces_[index]);
    }
    listener.next_piece = first_piece_ + index;
    listener.read_bytes += taken_bytes;
    if (index == pieces_.size()) {
      progress.ending = ending_;
    }
    trim();
    resumes = end_pause();
  }
  if (resumes) {
    tell_source(&FlightSource::resume);
  }
  return progress;
}

void Flight::wait_for_socket(Ticket ticket) {
  bool resumes = false;
  {
    const MutexLock lock(mu_);
    ticket.at_->is_waiting_for_socket = true;
    resumes = end_pause();
  }
  if (resumes) {
    tell_source(&FlightSource::resume);
  }
}

void Flight::leave(Ticket ticket) {
  bool is_abandoned = false;
  bool resumes = false;
  std::shared_ptr<FlightListener> released;  // may own the last reference to much else
  {
    const MutexLock lock(mu_);
    released = std::move(ticket.at_->target);
    listeners_.erase(ticket.at_);
    trim();
    is_abandoned = listeners_.empty() && !is_recording_ && ending_ == nullptr;
    is_given_up_ = is_given_up_ || is_abandoned;
    resumes = !listeners_.empty() && end_pause();
  }
  if (is_abandoned) {
    tell_source(&FlightSource::abandon);
  } else if (resumes) {
    tell_source(&FlightSource::resume);
  }
}

void Flight::set_source(std::weak_ptr<FlightSource> source, http::IoThread& thread) {
  const MutexLock lock(mu_);
  source_ = std::move(source);
  source_thread_ = &thread;
}

void Flight::set_watches(std::vector<RemovalWatchPtr> watches) {
  const MutexLock lock(mu_);
  watches_ = std::move(watches);
}

bool Flight::is_purged() const {
  const MutexLock lock(mu_);
  return std::any_of(watches_.begin(), watches_.end(),
                     [](const auto& watch) { return watch->is_over(); });
}

void Flight::begin(FlightHead head) {
  const MutexLock lock(mu_);
  head_ = std::make_shared<const FlightHead>(std::move(head));
}

void Flight::append(std::string_view bytes) {
  const MutexLock lock(mu_);
  open_piece_.append(bytes);
  total_bytes_ += bytes.size();
  if (is_recording_ && has_outgrown_its_bound()) {
    stop_recording_locked();
  }
  if (!is_recording_) {
    cut_off_slow();
  }
}

// In parts that are each written before the next one is read: a connection that is given more than
// it may queue is cut.
void Flight::append(const http::SharedBytes& bytes) {
  const MutexLock lock(mu_);
  close_piece();
  for (std::size_t offset = 0; offset < bytes.size(); offset += kMaxPieceBytes) {
    add(bytes.part(offset, kMaxPieceBytes));
  }
  total_bytes_ += bytes.size();
  if (is_recording_ && has_outgrown_its_bound()) {
    stop_recording_locked();
  }
}

void Flight::close_piece() {
  if (!open_piece_.empty()) {
    add(http::SharedBytes(std::exchange(open_piece_, {})));
  }
}

void Flight::add(http::SharedBytes piece) {
  pieces_.push_back(std::move(piece));
  if (!is_recording_) {
    trim();
  }
}

bool Flight::has_outgrown_its_bound() const {
  return total_bytes_ > options_.max_recorded_bytes ||
         (pieces_.size() > kFewPieces &&
          pieces_.size() > options_.max_recorded_bytes / kMinMeanPieceBytes);
}

Flight::Pace Flight::tell() {
  Wakeups to_wake;
  {
    const MutexLock lock(mu_);
    close_piece();
    to_wake = wakeups();
  }
  wake(to_wake);  // those on this thread have read when it returns
  const MutexLock lock(mu_);
  return pace();
}

Flight::Pace Flight::stop_recording() {
  const MutexLock lock(mu_);
  stop_recording_locked();
  return pace();
}

bool Flight::is_recording() const {
  const MutexLock lock(mu_);
  return is_recording_;
}

std::string Flight::recorded() const {
  const MutexLock lock(mu_);
  std::string all;
  all.reserve(total_bytes_);
  for (const auto& piece : pieces_) {
    all += piece.view();
  }
  all += open_piece_;
  return all;
}

void Flight::end(FlightEnding ending) {
  Wakeups to_wake;
  {
    const MutexLock lock(mu_);
    close_piece();
    ending_ = std::make_shared<const FlightEnding>(std::move(ending));
    to_wake = wakeups();
  }
  wake(to_wake);
}

void Flight::offer_fallback(EntryPtr entry) {
  const MutexLock lock(mu_);
  fallback_ = last_to_expire(std::move(fallback_), std::move(entry));
}

EntryPtr Flight::fallback() const {
  const MutexLock lock(mu_);
  return fallback_;
}

Flight::Wakeups Flight::wakeups() {
  Wakeups result;
  for (auto& listener : listeners_) {
    if (!std::exchange(listener.is_notified, true)) {
      result.push_back({listener.target, listener.thread});
    }
  }
  return result;
}

void Flight::wake(const Wakeups& wakeups) {
  for (const auto& wakeup : wakeups) {
    if (wakeup.thread->is_current()) {
      wakeup.target->on_progress();
    } else {
      wakeup.thread->post([target = wakeup.target] { target->on_progress(); });
    }
  }
}

std::uint64_t Flight::fastest_read() const {
  std::uint64_t fastest = 0;
  for (const auto& listener : listeners_) {
    fastest = std::max(fastest, listener.read_bytes);
  }
  return fastest;
}

void Flight::stop_recording_locked() {
  is_recording_ = false;
  trim();
}

void Flight::cut_off_slow() {
  const auto fastest = fastest_read();
  for (auto& listener : listeners_) {
    const auto behind = fastest - listener.read_bytes;
    if (listener.is_waiting_for_socket &&
        behind > std::max(options_.max_recorded_bytes, options_.max_lag_bytes)) {
      listener.is_cut_off = true;
    }
  }
}

void Flight::trim() {
  if (is_recording_ || ending_ != nullptr) {
    return;
  }
  auto oldest_needed = first_piece_ + pieces_.size();
  for (const auto& listener : listeners_) {
    if (!listener.is_cut_off) {
      oldest_needed = std::min(oldest_needed, listener.next_piece);
    }
  }
  for (; first_piece_ < oldest_needed; ++first_piece_) {
    pieces_.pop_front();
  }
}

std::uint64_t Flight::lead() const {
  bool can_any_read = false;
  std::uint64_t slowest_able = total_bytes_;
  for (const auto& listener : listeners_) {
    if (!listener.is_waiting_for_socket) {
      can_any_read = true;
      slowest_able = std::min(slowest_able, listener.read_bytes);
    }
  }
  return total_bytes_ - (can_any_read ? slowest_able : fastest_read());
}

bool Flight::end_pause() {
  if (!is_paused_ || ending_ != nullptr || lead() > options_.max_lag_bytes / 2) {
    return false;
  }
  is_paused_ = false;
  return true;
}

Flight::Pace Flight::pace() {
  if (is_recording_) {
    return Pace::kGoOn;
  }
  if (listeners_.empty()) {
    is_given_up_ = true;
    return Pace::kAbandon;
  }
  // Only end_pause() ends a pause, for only its caller tells the source.
  is_paused_ = is_paused_ || lead() > options_.max_lag_bytes;
  return is_paused_ ? Pace::kPause : Pace::kGoOn;
}

void Flight::tell_source(void (FlightSource::*what)()) {
  std::weak_ptr<FlightSource> source;
  http::IoThread* thread = nullptr;
  {
    const MutexLock lock(mu_);
    source = source_;
    thread = source_thread_;
  }
  if (thread == nullptr) {
    return;
  }
  thread->post([source = std::move(source), what] {
    if (const auto alive = source.lock()) {
      (*alive.*what)();
    }
  });
}

}  // namespace llm_edge_cache::proxy
