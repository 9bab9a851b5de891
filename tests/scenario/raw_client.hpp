// A blocking HTTP client that does just what a test tells it: bytes out when the test says, one
// answer back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llm_edge_cache::test {

struct Answer {
  int status = 0;
  std::string head;  // with the status line
  std::string body;  // as framed by Content-Length or chunks, decoded

  // The value of a field, case of the name ignored; empty where there is none.
  [[nodiscard]] std::string field(std::string_view name) const;
};

class RawClient {
 public:
  // "127.0.0.1:PORT". Throws std::system_error where it cannot connect.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  // Blocks until some byte of an answer has come, which read_answer() still returns.
  void wait_for_bytes();
  // Whether these are the next bytes that come; takes them where they are.
  bool takes(std::string_view bytes);
  // Takes at least so many bytes, whatever they are; fewer where the connection ends before, or
  // after 20 s. Returns how many.
  std::size_t read_bytes(std::size_t wanted);
  // The next whole answer; nothing where the connection ended before, or after 20 s.
  std::optional<Answer> read_answer();
  // True when the server has closed; false where bytes came, or nothing within 20 s.
  bool is_closed_by_server();

 private:
  bool fill();

  int socket_ = -1;
  std::string unread_;
};

// The chat request with that prompt, as bytes on the wire.
[[nodiscard]] std::string chat_request(std::string_view prompt, bool stream = false);
// A connection of its own for one question. Throws std::runtime_error without an answer.
Answer ask(const std::string& address, std::string_view request);
Answer ask_chat(const std::string& address, std::string_view prompt);
Answer get(const std::string& address, std::string_view path);

}  // namespace llm_edge_cache::test
