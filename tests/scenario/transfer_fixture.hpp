// Lines as `export` writes them, made by a test: with ages of hours, so that nobody has to wait,
// and what the commands make of them at a real proxy.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/program.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {

using Numbers = std::set<int>;

struct SampleLine {
  int number;  // in the key and in the content
  std::string model = "gpt-4o";
  std::string tag = "docs";
  int age_s = 60;
};

inline std::string line_of(const SampleLine& sample) {
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const nlohmann::json line = {{"key", fmt::format("{:064x}", sample.number)},
                               {"model", sample.model},
                               {"status", 200},
                               {"content_type", "application/json"},
                               {"finish_reason", "stop"},
                               {"created_ms", now_ms - sample.age_s * 1'000LL},
                               {"expires_ms", now_ms + 86'400'000},
                               {"stale_until_ms", 0},
                               {"tags", {sample.tag}},
                               {"content", fmt::format("content {}", sample.number)}};
  return line.dump() + "\n";
}

inline std::string lines_of(const std::vector<SampleLine>& samples) {
  std::string lines;
  for (const auto& sample : samples) lines += line_of(sample);
  return lines;
}

inline Numbers numbers_of(const std::string& lines) {
  Numbers numbers;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    numbers.insert(std::stoi(nlohmann::json::parse(line)["key"].get<std::string>(), nullptr, 16));
  }
  return numbers;
}

class TransferTest : public ::testing::Test {
 protected:
  [[nodiscard]] Program started(std::vector<std::string> more = {}) {
    return Program(serve_arguments(provider_.url(), std::move(more)),
                   {{"XDG_STATE_HOME", file("state")}});
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (dir_.path() / name).string();
  }
  static Ended command(const Program& proxy, std::vector<std::string> words,
                       std::string input = "") {
    words.insert(words.end(), {"--admin", proxy.url("admin")});
    return run_program(std::move(words), std::move(input));
  }
  static std::string said(const Program& proxy, std::vector<std::string> words,
                          std::string input = "") {
    const auto ended = command(proxy, std::move(words), std::move(input));
    EXPECT_EQ(ended.status, 0) << ended.error;
    return ended.output;
  }
  static Numbers exported(const Program& proxy, std::vector<std::string> choice = {}) {
    choice.insert(choice.begin(), "export");
    return numbers_of(said(proxy, std::move(choice)));
  }

  TempDir dir_;
  CountingProvider provider_;
};

}  // namespace llm_edge_cache::test
