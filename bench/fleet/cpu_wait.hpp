// How long this thread and the children of its process were ready to run and had no CPU.
#pragma once

#include <map>
#include <string>

namespace llm_edge_cache::bench {

// From its making on, as /proc/PID/task/TID/schedstat has it; 0 where the kernel does not say.
class CpuWait {
 public:
  CpuWait() : before_(now_ms()) {}

  // Of the one that waited longest, the threads of a child taken together.
  [[nodiscard]] double longest_ms() const;

 private:
  [[nodiscard]] static std::map<std::string, double> now_ms();  // by process

  std::map<std::string, double> before_;
};

}  // namespace llm_edge_cache::bench
