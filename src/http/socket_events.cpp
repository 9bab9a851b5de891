#include "http/socket_events.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace llm_edge_cache::http {
namespace {

int make_epoll() {
  const int made = epoll_create1(EPOLL_CLOEXEC);
  if (made < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return made;
}

SocketReadiness readiness_of(std::uint32_t events) {
  constexpr std::uint32_t kFailed = EPOLLERR | EPOLLHUP;
  return {.readable = (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | kFailed)) != 0,
          .writable = (events & (EPOLLOUT | kFailed)) != 0,
          .is_last = (events & (EPOLLRDHUP | EPOLLPRI | kFailed)) != 0};
}

}  // namespace

SocketEvents::SocketEvents() : epoll_(make_epoll()) {}

SocketEvents::~SocketEvents() {
  ::close(epoll_);
}

bool SocketEvents::add(int socket, SocketWatcher& watcher) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  event.data.ptr = &watcher;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void SocketEvents::remove(SocketWatcher& watcher) {
  for (std::size_t i = 0; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
  }
  std::replace(calling_.begin(), calling_.end(), &watcher, static_cast<SocketWatcher*>(nullptr));
  std::erase(soon_, &watcher);
}

std::size_t SocketEvents::dispatch() {
  const int found = epoll_wait(epoll_, batch_.data(), kBatch, 0);
  batch_size_ = static_cast<std::size_t>(std::max(found, 0));
  if (batch_size_ == 0 && !has_calls()) return 0;
  batch_time_ = std::chrono::steady_clock::now();
  std::size_t told = call_waiting();
  for (std::size_t i = 0; i < batch_size_; ++i) {
    auto* const watcher = static_cast<SocketWatcher*>(batch_[i].data.ptr);
    if (watcher == nullptr) continue;
    watcher->on_ready(readiness_of(batch_[i].events));
    ++told;
  }
  batch_size_ = 0;
  batch_time_.reset();
  return told;
}

std::size_t SocketEvents::call_waiting() {
  calling_.swap(soon_);
  std::size_t told = 0;
  for (std::size_t i = 0; i < calling_.size(); ++i) {
    if (calling_[i] == nullptr) continue;
    calling_[i]->on_ready({});
    ++told;
  }
  calling_.clear();
  return told;
}

}  // namespace llm_edge_cache::http
