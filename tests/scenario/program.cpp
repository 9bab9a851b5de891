#include "tests/scenario/program.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace llm_edge_cache::test {

namespace {

std::vector<std::string> with_binary(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), LEC_BINARY);
  return arguments;
}

}  // namespace

Program::Program(std::vector<std::string> arguments, std::map<std::string, std::string> environment)
    : process_({.argv = with_binary(std::move(arguments)),
                .env = std::move(environment),
                .directory = {},
                .input = {}}) {
  const auto line = process_.wait_for_line(R"({"event":"ready")");
  if (!line) throw std::runtime_error("not ready: " + process_.error_output());
  const auto ready = nlohmann::json::parse(*line);
  for (const auto& [name, address] : ready.items()) addresses_[name] = address;
}

Ended run_program(std::vector<std::string> arguments, std::string input,
                  std::map<std::string, std::string> environment) {
  ChildProcess process({.argv = with_binary(std::move(arguments)),
                        .env = std::move(environment),
                        .directory = {},
                        .input = std::move(input)});
  const auto status = process.wait();
  if (!status) throw std::runtime_error("does not end");
  return {.status = *status, .output = process.output(), .error = process.error_output()};
}

std::vector<std::string> serve_arguments(const std::string& upstream,
                                         std::vector<std::string> more) {
  std::vector<std::string> arguments = {
      "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--upstream", upstream};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace llm_edge_cache::test
