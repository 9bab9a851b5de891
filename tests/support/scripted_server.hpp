// A TCP server that answers what a test tells it: nonsense, half of an answer, or nothing at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace llm_edge_cache::test {

class ScriptedServer {
 public:
  struct Action {
    std::string send{};
    bool close = false;  // after what is sent
  };
  // What to do about the bytes that one read of a connection brought. Runs on the server's thread.
  using Script = std::function<Action(std::string_view bytes)>;

  // Listens on a free port of 127.0.0.1, and on a given one where it is not 0.
  explicit ScriptedServer(Script script, std::uint16_t port = 0);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t connections() const { return connections_.load(); }
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_.load(); }

 private:
  void serve();
  // False when the connection has ended.
  bool answer(int connection);

  Script script_;
  int listener_ = -1;
  int stop_event_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> bytes_received_{0};
  std::thread thread_;
};

// Accepts, reads and never answers.
class StallingServer : public ScriptedServer {
 public:
  explicit StallingServer(std::uint16_t port = 0)
      : ScriptedServer([](std::string_view) { return Action{}; }, port) {}
};

}  // namespace llm_edge_cache::test
