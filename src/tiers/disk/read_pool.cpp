#include "tiers/disk/read_pool.hpp"

#include <algorithm>

namespace llm_edge_cache::disk {
namespace {

Error unavailable(const char* why) {
  return {ErrorCode::kUnavailable, std::string("disk: ") + why};
}

Error late() {
  return {ErrorCode::kDeadlineExceeded, "disk: no answer in time"};
}

Error cancelled() {
  return {ErrorCode::kCancelled, "disk: the tier is being closed"};
}

}  // namespace

void ReadJob::run() {
  if (!change(State::kQueued, State::kRunning)) return;
  read();
  if (!change(State::kRunning, State::kOver)) return gate_.end_overdue();
  deadlines_.forget(*this, deadline_);
  if (is_fault()) {
    gate_.record_failure(std::chrono::steady_clock::now());
  } else {
    gate_.record_success();
  }
  tell();
}

void ReadJob::refuse(Error error) {
  if (!change(State::kQueued, State::kOver)) return;
  deadlines_.forget(*this, deadline_);
  fail(std::move(error));
}

void ReadJob::on_deadline() {
  gate_.begin_overdue();
  const bool running = change(State::kRunning, State::kLate);
  if (!running) {
    gate_.end_overdue();
    if (!change(State::kQueued, State::kOver)) return;
  }
  gate_.record_failure(std::chrono::steady_clock::now());
  fail(late());
}

ReadPool::ReadPool(Options options, Deadlines& deadlines, ReadGate& gate)
    : options_(options), deadlines_(deadlines), gate_(gate) {
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

ReadPool::~ReadPool() {
  close();
  for (std::thread& thread : threads_) thread.join();
}

void ReadPool::submit(const JobPtr& job) {
  const auto refused = admit(job);
  if (!refused.ok()) job->refuse(refused.error());
}

Status ReadPool::admit(const JobPtr& job) {
  if (!gate_.try_enter(std::chrono::steady_clock::now())) {
    return unavailable("it does not answer");
  }
  {
    const MutexLock lock(mutex_);
    if (closed_) return cancelled();
    if (queue_.size() < options_.max_queued) {
      deadlines_.watch(job, job->deadline());
      queue_.push_back(job);
      queued_.notify_one();
      return {};
    }
  }
  gate_.abandon(std::chrono::steady_clock::now());
  return unavailable("too many reads wait for it");
}

void ReadPool::close() {
  std::deque<JobPtr> left;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    left.swap(queue_);
  }
  queued_.notify_all();
  for (const JobPtr& job : left) job->refuse(cancelled());
}

bool ReadPool::runs_on_this_thread() const {
  return std::any_of(threads_.begin(), threads_.end(), [](const std::thread& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
}

void ReadPool::run() {
  while (const JobPtr job = next()) job->run();
}

ReadPool::JobPtr ReadPool::next() {
  const MutexLock lock(mutex_);
  while (!closed_) {
    if (!queue_.empty()) {
      auto job = std::move(queue_.front());
      queue_.pop_front();
      return job;
    }
    queued_.wait(mutex_);
  }
  return nullptr;
}

}  // namespace llm_edge_cache::disk
