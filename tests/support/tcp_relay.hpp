// A wire between a client and a server of the loopback that a test can cut: connections stay open,
// and nothing comes through any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace llm_edge_cache::test {

class TcpRelay {
 public:
  explicit TcpRelay(std::uint16_t to_port);
  // Closes what it holds.
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void cut() { is_cut_ = true; }
  void heal() { is_cut_ = false; }

 private:
  void run();

  const std::uint16_t to_port_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_cut_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace llm_edge_cache::test
