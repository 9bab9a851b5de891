// A program started by a test: its output is captured, it can be signalled and waited for, and it
// outlives neither this object nor a crash of the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {

struct ChildOptions {
  std::vector<std::string> argv{};           // argv[0] is looked up in PATH
  std::map<std::string, std::string> env{};  // on top of the test's own environment
  std::string directory{};                   // empty: the test's own
  std::string input{};                       // what the child reads from stdin, then end of file
};

// Thread-safe but for construction and destruction. Start it on a thread that lives as long as the
// child should: the kernel kills the child when that thread ends.
class ChildProcess {
 public:
  // Throws std::system_error where the program cannot be started.
  explicit ChildProcess(ChildOptions options);
  // Kills (SIGKILL) what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  // Ignored where the child has ended.
  void signal(int number);

  // The exit status, 128 + n for a child ended by signal n; nothing when it still runs after the
  // bound. Once it has ended, both outputs are complete.
  std::optional<int> wait(std::chrono::milliseconds bound = kEventually);

  // What it has written so far, the last 16 MiB of each.
  [[nodiscard]] std::string output() const;        // stdout
  [[nodiscard]] std::string error_output() const;  // stderr

  // The first whole line of either output that contains the text; nothing where the child ended or
  // the bound passed without one.
  std::optional<std::string> wait_for_line(std::string_view text,
                                           std::chrono::milliseconds bound = kEventually);

 private:
  void read_outputs(int out, int err);
  [[nodiscard]] std::optional<std::string> find_line(std::string_view text) const;
  bool reap(int options);

  pid_t pid_ = -1;
  std::mutex reap_mutex_;
  std::optional<int> status_;  // guarded by reap_mutex_

  mutable std::mutex output_mutex_;
  std::condition_variable output_changed_;
  std::string output_;  // guarded by output_mutex_, as are the next two
  std::string error_output_;
  bool outputs_closed_ = false;

  std::thread writer_;
  std::thread reader_;
};

}  // namespace llm_edge_cache::test
