#include "api/reaper.hpp"

#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"

namespace llm_edge_cache {
namespace {

class Reaper {
 public:
  void run(std::function<void()> destroy) LEC_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    std::erase_if(pending_, [](const std::future<void>& one) {
      return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    pending_.push_back(std::async(std::launch::async, std::move(destroy)));
  }

 private:
  Mutex mu_;
  // A future of std::async joins its thread when it is destroyed.
  std::vector<std::future<void>> pending_ LEC_GUARDED_BY(mu_);
};

}  // namespace

void destroy_elsewhere(std::function<void()> destroy) {
  static Reaper reaper;
  reaper.run(std::move(destroy));
}

}  // namespace llm_edge_cache
