// The real binary as a child of a test: started on free ports, told apart by its ready line,
// stopped with the test.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/child_process.hpp"

namespace llm_edge_cache::test {

class Program {
 public:
  // Returns when the program says that it is ready; throws std::runtime_error with its output where
  // it ends before.
  explicit Program(std::vector<std::string> arguments,
                   std::map<std::string, std::string> environment = {});

  // "127.0.0.1:PORT" by name in the ready line: "listen", "admin".
  [[nodiscard]] std::string address(const std::string& name) const { return addresses_.at(name); }
  [[nodiscard]] std::string url(const std::string& name = "listen") const {
    return "http://" + address(name);
  }
  [[nodiscard]] ChildProcess& process() { return process_; }

 private:
  ChildProcess process_;
  std::map<std::string, std::string> addresses_;
};

// Runs the binary to its end.
struct Ended {
  int status = -1;
  std::string output;
  std::string error;
};
[[nodiscard]] Ended run_program(std::vector<std::string> arguments, std::string input = "",
                                std::map<std::string, std::string> environment = {});

// `serve` on free ports before that provider.
[[nodiscard]] std::vector<std::string> serve_arguments(const std::string& upstream,
                                                       std::vector<std::string> more = {});

}  // namespace llm_edge_cache::test
