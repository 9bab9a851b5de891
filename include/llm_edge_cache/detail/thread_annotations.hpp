// clang's thread-safety annotations, and a mutex that carries them.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LEC_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define LEC_THREAD_ANNOTATION(x)
#endif

#define LEC_CAPABILITY(x) LEC_THREAD_ANNOTATION(capability(x))
#define LEC_SCOPED_CAPABILITY LEC_THREAD_ANNOTATION(scoped_lockable)
#define LEC_GUARDED_BY(x) LEC_THREAD_ANNOTATION(guarded_by(x))
#define LEC_PT_GUARDED_BY(x) LEC_THREAD_ANNOTATION(pt_guarded_by(x))
#define LEC_REQUIRES(...) LEC_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define LEC_EXCLUDES(...) LEC_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define LEC_ACQUIRE(...) LEC_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LEC_RELEASE(...) LEC_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define LEC_TRY_ACQUIRE(...) LEC_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define LEC_NO_THREAD_SAFETY_ANALYSIS LEC_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace llm_edge_cache {

class LEC_CAPABILITY("mutex") Mutex {
 public:
  void lock() LEC_ACQUIRE() { mutex_.lock(); }
  void unlock() LEC_RELEASE() { mutex_.unlock(); }
  bool try_lock() LEC_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class LEC_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LEC_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() LEC_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex that the caller holds; the predicate form is a loop at the call site so that
// the analysis sees the guarded reads.
class CondVar {
 public:
  void wait(Mutex& mutex) LEC_REQUIRES(mutex) { condition_.wait(mutex); }
  template <class Clock, class Duration>
  std::cv_status wait_until(Mutex& mutex, const std::chrono::time_point<Clock, Duration>& until)
      LEC_REQUIRES(mutex) {
    return condition_.wait_until(mutex, until);
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace llm_edge_cache
