// A client that sends exactly the bytes it is told to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llm_edge_cache::http {

// Blocking; every wait ends after 20 s with what came until then.
class RawClient {
 public:
  // Throws std::system_error when 127.0.0.1:port does not accept.
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False when the connection broke.
  bool send(std::string_view bytes);
  // Bytes up to and with the marker; less when the connection ended first.
  std::string read_until(std::string_view marker);
  std::string read_exactly(std::size_t bytes);
  // Everything up to the end; was_reset() tells how it ended.
  std::string read_all();
  // A head and the body its Content-Length gives.
  std::string read_response();
  [[nodiscard]] bool was_reset() const { return was_reset_; }

  void shutdown_send();
  // Closes; linger 0 makes it a reset.
  void close();
  void reset();
  // Makes the kernel's receive buffer small, so that a sender soon feels a reader that stopped.
  void shrink_receive_buffer();

 private:
  bool receive();

  int fd_ = -1;
  std::string buffer_;
  bool was_reset_ = false;
};

}  // namespace llm_edge_cache::http
