#include "bench/fleet/cpu_wait.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace llm_edge_cache::bench {
namespace {

constexpr double kNsInMs = 1e6;

double wait_in(const std::filesystem::path& task) {
  std::ifstream stat(task / "schedstat");
  double ran_ns = 0;
  double waited_ns = 0;
  return stat >> ran_ns >> waited_ns ? waited_ns / kNsInMs : 0;
}

double waited_ms(const std::string& process) {
  double sum_ms = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + process + "/task", gone)) {
    sum_ms += wait_in(task.path());
  }
  return sum_ms;
}

}  // namespace

std::map<std::string, double> CpuWait::now_ms() {
  const std::string self = std::to_string(::getpid());
  std::map<std::string, double> waits = {{self, wait_in("/proc/thread-self")}};
  std::ifstream children("/proc/self/task/" + self + "/children");
  for (std::string child; children >> child;) waits[child] = waited_ms(child);
  return waits;
}

double CpuWait::longest_ms() const {
  double longest = 0;
  for (const auto& [process, ms] : now_ms()) {
    const auto before = before_.find(process);
    if (before != before_.end()) longest = std::max(longest, ms - before->second);
  }
  return longest;
}

}  // namespace llm_edge_cache::bench
