// A TCP server whose every connection is a function of the test: it reads requests as they were
// sent and answers with any bytes at all, at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace llm_edge_cache::test {

// One connection, on its own thread. Calls fail without harm once the other side has gone.
class RawPeer {
 public:
  explicit RawPeer(int socket) : socket_(socket) {}

  // The next request, head and body, byte for byte; nothing where the connection ends before.
  std::optional<std::string> read_request();
  // False where the other side takes no more.
  bool send(std::string_view bytes);
  // Returns when the other side has closed; what it sent meanwhile is returned.
  std::string read_to_end();

 private:
  bool fill();

  int socket_;
  std::string unread_;
};

class RawServer {
 public:
  // Closes the connection when it returns. Must end when the other side goes away.
  using Script = std::function<void(RawPeer& peer)>;

  explicit RawServer(Script script);
  // Cuts what is still connected and waits for the scripts.
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint64_t connections() const { return connections_.load(); }

 private:
  struct Connection {
    int socket;
    std::thread thread;
  };
  void accept_all();

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::list<Connection> open_;  // guarded by mutex_
  std::thread thread_;
};

// "HTTP/1.1 200 OK" with that body, framed by its length.
[[nodiscard]] std::string http_answer(std::string_view body,
                                      std::string_view content_type = "application/json",
                                      std::string_view more_fields = "");

}  // namespace llm_edge_cache::test
