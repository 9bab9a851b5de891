// What is said over one connection: log in, then commands and their answers in turn.
//
// A state machine. It is fed bytes and points in time, and leaves bytes to send; it knows no
// socket. Answers come in the order of the commands, so a command whose deadline has passed leaves
// its place in the queue behind: the late answer is taken for it and dropped, and the next answer
// still meets its own command.
//
// Not thread-safe. Operations end inside receive(), expire(), submit() and close().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/circuit_breaker.hpp"
#include "tiers/redis/client_identity.hpp"
#include "tiers/redis/operation.hpp"
#include "tiers/redis/resp_parser.hpp"
#include "tiers/redis/server_role.hpp"

namespace llm_edge_cache::redis {

// Takes operations back that the server sent elsewhere.
class Redirector {
 public:
  virtual ~Redirector() = default;
  // True where it has taken the operation; `error` is the server's, without the "-".
  virtual bool take_back(OperationPtr& operation, std::string_view error) = 0;
};

class Session {
 public:
  enum class State {
    kHandshaking,  // submitted commands wait; their deadlines run
    kReady,
    kBroken,  // error() says why; nothing but close() makes sense
  };

  struct Options {
    std::string user{};
    std::string password{};
    std::uint32_t database = 0;
    // By ROLE at log-in. As kMaster, a write that meets READONLY ends the session.
    ServerRole role = ServerRole::kAny;
    bool reads_replica = false;  // of a cluster: READONLY
    // Asks how the server calls this connection, for the next one's `predecessor`.
    bool identify = false;
    // A connection that was given up. It is ended before anything else is said, so that no command
    // that it still holds is executed after ours.
    std::optional<ClientIdentity> predecessor{};
    // Not empty: a channel to subscribe to, in RESP3, so that commands go on beside it; what comes
    // over it is given to on_message, on the session's thread. The last thing said before the PING:
    // whoever sees the session ready misses nothing from then on.
    std::string channel{};
    std::function<void(std::string_view payload)> on_message{};
    std::size_t max_outstanding = 1U << 16U;  // a command over it fails with kOverloaded
    RespLimits limits{};
  };

  // Success and failure of each command are reported to the breaker, which outlives the session, as
  // the redirector does, which may be null.
  Session(const Options& options, CircuitBreaker& breaker, Redirector* redirector = nullptr);

  // Bytes to send; the owner takes them away.
  [[nodiscard]] std::string& output() { return output_; }

  // False where the operation failed at once.
  bool submit(OperationPtr operation, TimePoint now);
  // How many bytes of the input are done with; the rest comes again with more behind it.
  [[nodiscard]] std::size_t receive(std::string_view input, TimePoint now);
  // Fails, with kDeadlineExceeded, what was due by now.
  void expire(TimePoint now);
  // Fails all that is outstanding.
  void close(const Error& error);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Error& error() const { return error_; }
  // Once it is ready, where the server told.
  [[nodiscard]] const std::optional<ClientIdentity>& identity() const { return identity_; }
  // When expire() has something to do. Deadlines are taken to come in the order of submission.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  // The next answer is overdue, and whatever is sent now would wait behind it.
  [[nodiscard]] bool stalled() const { return overdue_ > 0; }
  // Since when the oldest command is unanswered.
  [[nodiscard]] std::optional<TimePoint> waiting_since() const;
  [[nodiscard]] std::size_t outstanding() const { return slots_.size(); }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] std::size_t bytes_missing() const { return parser_.bytes_missing(); }

 private:
  struct Slot {
    OperationPtr operation;  // null: overdue
    TimePoint sent;
    bool asking = false;  // the answer to ASKING comes first
  };
  enum class Step {
    kAuth,
    kEndPredecessor,
    kIdentify,
    kSelect,
    kReadOnly,
    kRole,
    kHello,
    kSubscribe,
    kPing
  };

  template <class... Arguments>
  void say(Step step, const Arguments&... arguments);
  void on_reply(RespReply reply, TimePoint now);
  void on_push(RespReply reply);
  void on_handshake_reply(RespReply reply);
  [[nodiscard]] std::string complaint_about(Step step, RespReply reply);
  void answer(OperationPtr operation, RespReply reply, TimePoint now);
  void answer_error(OperationPtr operation, std::string_view error, TimePoint now);
  void break_off(std::string why, ErrorCode code = ErrorCode::kProtocol);

  State state_ = State::kHandshaking;
  CircuitBreaker& breaker_;
  Redirector* const redirector_;
  const ServerRole role_;
  const std::string channel_;
  const std::function<void(std::string_view)> on_message_;
  RespParser parser_;
  std::size_t max_outstanding_;
  std::string output_;
  std::string held_back_;       // until the handshake is done
  std::deque<Step> handshake_;  // not yet answered
  std::optional<ClientIdentity> identity_;
  std::deque<Slot> slots_;
  std::size_t overdue_ = 0;  // slots at the front without an operation
  std::uint64_t answered_ = 0;
  Error error_;
};

}  // namespace llm_edge_cache::redis
