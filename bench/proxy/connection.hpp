#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llm_edge_cache::bench {

// A TCP connection on the loopback interface, closed with the object. Throws std::system_error
// where the system refuses. Not thread-safe.
class Connection {
 public:
  enum class Mode { kBlocking, kNonBlocking };

  Connection() = default;
  // Connects before it returns, in either mode.
  Connection(std::uint16_t port, Mode mode);
  // Owns `accepted`, which gets the mode.
  static Connection adopt(int accepted, Mode mode);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;

  [[nodiscard]] int fd() const { return fd_; }

  // All of it, or it throws: what is sent here fits the socket's buffer.
  void send(std::string_view bytes) const;

 private:
  void set_up(Mode mode) const;

  int fd_ = -1;
};

// Of CLOCK_MONOTONIC.
[[nodiscard]] std::uint64_t now_ns();

// The whole file; throws std::runtime_error when it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace llm_edge_cache::bench
