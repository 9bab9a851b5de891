// A real redis-server of a test's own: nothing persists, and nothing outlives the test.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {

struct RedisServerOptions {
  enum class Transport { kTcp, kUnixSocket, kTls };
  Transport transport = Transport::kTcp;
  Certificate certificate{};  // kTls
  // kTls: a client's certificate is asked for and verified, and servers speak TLS to each other.
  std::string ca_file{};
  bool cluster_bus = false;               // the port + 10000 must be free as well
  bool sentinel = false;                  // watches other servers instead of storing anything
  std::string password{};                 // requirepass; empty: none
  std::string maxmemory{};                // as redis.conf takes it, "2mb"; empty: no limit
  std::vector<std::string> extra_args{};  // "--user", "alice on >secret ~* +@all"
};

// For servers that verify each other and their clients; without certificates, plain TCP.
struct MutualTls {
  std::string ca_file{};
  std::vector<Certificate> certificates{};  // of the servers in turn, the last one of all the rest

  [[nodiscard]] bool is_on() const { return !certificates.empty(); }
  void apply_to(RedisServerOptions& options, std::size_t server) const;
};

class RedisServer {
 public:
  // Returns when the server answers PING; throws std::runtime_error with its output otherwise.
  explicit RedisServer(RedisServerOptions options = {});

  // redis://127.0.0.1:PORT, rediss://localhost:PORT or redis+unix:///path, with the password where
  // there is one.
  [[nodiscard]] std::string url() const;
  // Of TCP or TLS.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

  void stop();     // SIGTERM, returns when it has gone
  void kill();     // SIGKILL, returns when it has gone
  void freeze();   // SIGSTOP: connections stay open, nothing is answered
  void thaw();     // SIGCONT
  void restart();  // killed where it runs, started again, empty, on the same address

  // One command over a plain connection of its own, by hiredis. A string, status or error comes as
  // its text (an error after "-"), an integer in decimal, null as "(nil)", an array joined by
  // spaces. Throws std::runtime_error where there is no answer within 5 s.
  std::string command(const std::vector<std::string>& arguments);

 private:
  [[nodiscard]] bool is_tls() const {
    return options_.transport == RedisServerOptions::Transport::kTls;
  }
  void start();
  [[nodiscard]] std::uint16_t choose_port() const;
  [[nodiscard]] std::vector<std::string> arguments() const;
  [[nodiscard]] std::vector<std::string> sentinel_arguments() const;
  [[nodiscard]] bool answers();

  RedisServerOptions options_;
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::string socket_path_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace llm_edge_cache::test
