#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>

#include "bench/proxy/connection.hpp"

namespace llm_edge_cache::bench {

// A provider of streamed chat answers that writes an event when it is told to. It has no thread:
// whoever measures calls poll() until a request is there. One request at a time. Not thread-safe.
class StreamProvider {
 public:
  // Listens on the loopback interface, on a free port for 0; throws std::system_error when the port
  // is taken.
  explicit StreamProvider(std::uint16_t port);
  ~StreamProvider();
  StreamProvider(const StreamProvider&) = delete;
  StreamProvider& operator=(const StreamProvider&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Accepts and reads what is there. True once a whole request has come: write to it next.
  [[nodiscard]] bool poll();

  // The SSE of the answer's event number `index` of `count`; the last has the end mark after it.
  [[nodiscard]] static std::string event(std::size_t index, std::size_t count);

  // Writes it, the first with the answer's head before it and the last with the body's end after
  // it, in one piece each.
  void write(std::size_t index, std::size_t count);

 private:
  struct Peer {
    Connection connection;
    std::string received{};
  };

  int listener_;
  std::uint16_t port_ = 0;
  std::list<Peer> peers_;
  Peer* asking_ = nullptr;
};

}  // namespace llm_edge_cache::bench
