// An operation that writes down what happens to it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/operation.hpp"

namespace llm_edge_cache::redis {

using Journal = std::vector<std::string>;

class RecordingOperation final : public Operation {
 public:
  struct Options {
    bool waited_for = false;
    bool sends = true;
    RespType expects = RespType::kBulkString;
    TimePoint deadline{};
  };

  RecordingOperation(std::string name, Journal& journal, Options options)
      : name_(std::move(name)), journal_(journal), options_(options) {
    deadline = options.deadline;
  }

  bool append_to(std::string& out) override {
    if (options_.sends) out += "<" + name_ + ">";
    return options_.sends;
  }
  bool complete(RespReply reply) override {
    if (reply[0].type != options_.expects) return false;
    journal_.push_back(name_ + " = " + std::string(reply[0].text));
    return true;
  }
  void fail(const Error& error) override {
    journal_.push_back(name_ + ": " + std::string(to_string(error.code)));
    message = error.message;
  }
  [[nodiscard]] bool waited_for() const override { return options_.waited_for; }
  void stop_waiting(const Error& error) override {
    journal_.push_back(name_ + " not waited for: " + std::string(to_string(error.code)));
  }

  inline static std::string message;  // of the last failure

 private:
  const std::string name_;
  Journal& journal_;
  const Options options_;
};

inline OperationPtr recording(std::string name, Journal& journal,
                              RecordingOperation::Options options = {}) {
  return std::make_unique<RecordingOperation>(std::move(name), journal, options);
}

}  // namespace llm_edge_cache::redis
