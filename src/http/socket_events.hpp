// Which plain sockets of an I/O thread can be read or written: an epoll set of our own beside
// Asio's. Asio tries each read before it waits for it, which costs a socket that answers request
// after request a second recv for every one (docs/decisions/0009-own-socket-events.md).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "http/timer_wheel.hpp"

namespace llm_edge_cache::http {

struct SocketReadiness {
  bool readable = false;
  bool writable = false;
  // The peer has ended its side, the socket has failed, or it has urgent data: no further event may
  // come, so only a read that finds nothing tells that all was read.
  bool is_last = false;
};

class SocketWatcher {
 public:
  virtual void on_ready(SocketReadiness ready) = 0;

 protected:
  ~SocketWatcher() = default;
};

// Edge-triggered: an event tells that something has come since the last one, once. Belongs to one
// thread.
class SocketEvents {
 public:
  // Throws std::system_error where the system gives no epoll set.
  SocketEvents();
  ~SocketEvents();
  SocketEvents(const SocketEvents&) = delete;
  SocketEvents& operator=(const SocketEvents&) = delete;

  // False, with errno set, where the socket cannot be watched. The watcher hears of what the socket
  // holds already, too.
  [[nodiscard]] bool add(int socket, SocketWatcher& watcher);
  // Before the socket is closed, which ends the watch; the watcher hears nothing from then on.
  void remove(SocketWatcher& watcher);
  // In the next dispatch() the watcher is told that nothing new is ready.
  void call_soon(SocketWatcher& watcher) { soon_.push_back(&watcher); }

  // Tells the watchers of what is ready, without waiting for it. Returns how many were told.
  std::size_t dispatch();
  // When the dispatch under way began to tell; nothing outside of one.
  [[nodiscard]] const std::optional<TimePoint>& batch_time() const { return batch_time_; }
  // Whether the dispatch under way has more than one event to tell.
  [[nodiscard]] bool tells_several() const { return batch_time_ && batch_size_ > 1; }
  [[nodiscard]] bool has_calls() const { return !soon_.empty(); }

  // Readable whenever a socket is ready.
  [[nodiscard]] int native_handle() const { return epoll_; }

 private:
  static constexpr std::size_t kBatch = 128;

  std::size_t call_waiting();

  const int epoll_;
  // Of the dispatch under way; what was removed is null.
  std::array<epoll_event, kBatch> batch_;
  std::size_t batch_size_ = 0;
  std::optional<TimePoint> batch_time_;
  std::vector<SocketWatcher*> calling_;
  std::vector<SocketWatcher*> soon_;
};

}  // namespace llm_edge_cache::http
