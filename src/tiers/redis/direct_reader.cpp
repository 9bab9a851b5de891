#include "tiers/redis/direct_reader.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "tiers/redis/read_buffer.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;

// What a session ends, with the operation still the caller's: where the connection fails without
// an answer, another way is open to it.
class Borrowed final : public Operation {
 public:
  struct Outcome {
    bool ended = false;
    std::optional<Error> error;
  };
  Borrowed(Operation& operation, Outcome& outcome) : operation_(operation), outcome_(outcome) {}

  bool append_to(std::string& out) override { return operation_.append_to(out); }
  bool complete(RespReply reply) override { return outcome_.ended = operation_.complete(reply); }
  void fail(const Error& error) override { outcome_.error = error; }

 private:
  Operation& operation_;
  Outcome& outcome_;
};

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un local;
};

// The size; 0 where the host is not numeric.
socklen_t fill(SocketAddress& socket_address, const ServerAddress& address) {
  std::memset(&socket_address, 0, sizeof socket_address);
  if (address.is_unix_socket()) {
    socket_address.local.sun_family = AF_UNIX;
    std::memcpy(socket_address.local.sun_path, address.path.data(), address.path.size());
    return sizeof socket_address.local;
  }
  const char* const host = address.host == "localhost" ? "127.0.0.1" : address.host.c_str();
  if (::inet_pton(AF_INET, host, &socket_address.v4.sin_addr) == 1) {
    socket_address.v4.sin_family = AF_INET;
    socket_address.v4.sin_port = htons(address.port);
    return sizeof socket_address.v4;
  }
  if (::inet_pton(AF_INET6, host, &socket_address.v6.sin6_addr) == 1) {
    socket_address.v6.sin6_family = AF_INET6;
    socket_address.v6.sin6_port = htons(address.port);
    return sizeof socket_address.v6;
  }
  return 0;
}

}  // namespace

// One connection, blocking, used by one thread at a time.
class DirectReader::Line {
 public:
  explicit Line(const Options& options)
      : timeout_(options.operation_timeout), session_(options.session, breaker_) {}
  ~Line() {
    if (socket_ >= 0) ::close(socket_);
    session_.close({ErrorCode::kCancelled, "redis: closed"});
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Logged in when it returns true.
  bool open(const ServerAddress& address) {
    SocketAddress socket_address;
    const socklen_t size = fill(socket_address, address);
    if (size == 0) return false;
    socket_ = ::socket(socket_address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return false;
    // The kernel bounds each wait, and connect() by the time for sending.
    const timeval limit{.tv_sec = timeout_.count() / 1'000,
                        .tv_usec = timeout_.count() % 1'000 * 1'000};
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (!address.is_unix_socket()) {
      ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (::connect(socket_, &socket_address.any, size) != 0) return false;
    const TimePoint deadline = now() + timeout_;
    return exchange(deadline, [this] { return session_.state() == Session::State::kReady; });
  }

  // False: the line is of no use any more, and `outcome` says whether the operation has ended.
  bool run(Operation& operation, Borrowed::Outcome& outcome) {
    const TimePoint start = now();
    session_.submit(std::make_unique<Borrowed>(operation, outcome), start);
    if (exchange(start + timeout_, [this] { return session_.outstanding() == 0; })) return true;
    session_.close({timed_out_ ? ErrorCode::kDeadlineExceeded : ErrorCode::kUnavailable,
                    timed_out_ ? "redis: no answer in time" : "redis: connection lost"});
    return false;
  }

 private:
  template <class Done>
  bool exchange(TimePoint deadline, Done&& done) {
    if (!send_output()) return false;
    while (!done()) {
      const std::size_t missing = buffer_.data().empty() ? 0 : session_.bytes_missing();
      const auto room = buffer_.prepare(std::max<std::size_t>(4'096, missing));
      const ssize_t received = ::recv(socket_, room.data(), room.size(), 0);
      const TimePoint time = now();
      timed_out_ = time >= deadline || (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
      if (received < 0 && errno == EINTR && !timed_out_) continue;
      if (received <= 0) return false;
      buffer_.commit(static_cast<std::size_t>(received));
      buffer_.consume(session_.receive(buffer_.data(), time));
      if (session_.state() == Session::State::kBroken) return false;
      if (timed_out_ && !done()) return false;
    }
    return true;
  }

  bool send_output() {
    std::string& output = session_.output();
    std::size_t sent = 0;
    while (sent < output.size()) {
      const ssize_t written =
          ::send(socket_, output.data() + sent, output.size() - sent, MSG_NOSIGNAL);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      sent += static_cast<std::size_t>(written);
    }
    output.clear();
    return true;
  }

  const milliseconds timeout_;
  CircuitBreaker breaker_{{}};
  Session session_;
  ReadBuffer buffer_;
  int socket_ = -1;
  bool timed_out_ = false;
};

DirectReader::DirectReader(Options options) : options_(std::move(options)) {}

DirectReader::~DirectReader() = default;

bool DirectReader::try_run(Operation& operation) {
  std::unique_ptr<Line> line = take_line();
  if (line == nullptr) return false;
  Borrowed::Outcome outcome;
  if (line->run(operation, outcome)) {
    give_back(std::move(line));
  } else {
    give_up();
  }
  if (outcome.ended || !outcome.error) return true;
  // A server that closes idle connections is no failure of this lookup.
  if (outcome.error->code == ErrorCode::kUnavailable) return false;
  operation.fail(*outcome.error);
  return true;
}

std::unique_ptr<DirectReader::Line> DirectReader::take_line() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Line> line = std::move(idle_.back());
      idle_.pop_back();
      return line;
    }
    if (open_ >= kMaxLines || now() < retry_at_) return nullptr;
    ++open_;
  }
  auto line = std::make_unique<Line>(options_);
  if (line->open(options_.address)) return line;
  give_up();
  return nullptr;
}

void DirectReader::give_back(std::unique_ptr<Line> line) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(line));
}

void DirectReader::give_up() {
  // What fails one connection fails the others: nobody else is to find that out.
  std::vector<std::unique_ptr<Line>> useless;
  const MutexLock lock(mutex_);
  useless.swap(idle_);
  open_ -= 1 + useless.size();
  retry_at_ = now() + options_.retry_after;
}

}  // namespace llm_edge_cache::redis
