#include "bench/fleet/cpu_wait.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace llm_edge_cache::bench {
namespace {

constexpr double kNsInMs = 1e6;

double waited_ms(const std::string& process) {
  double sum_ms = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + process + "/task", gone)) {
    std::ifstream stat(task.path() / "schedstat");
    double ran_ns = 0;
    double waited_ns = 0;
    if (stat >> ran_ns >> waited_ns) sum_ms += waited_ns / kNsInMs;
  }
  return sum_ms;
}

}  // namespace

std::map<std::string, double> CpuWait::now_ms() {
  const std::string self = std::to_string(::getpid());
  std::vector<std::string> processes = {self};
  std::ifstream children("/proc/self/task/" + self + "/children");
  for (std::string child; children >> child;) processes.push_back(child);
  std::map<std::string, double> waits;
  for (const std::string& process : processes) waits[process] = waited_ms(process);
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
