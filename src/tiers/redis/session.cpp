#include "tiers/redis/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/quoted.hpp"

namespace llm_edge_cache::redis {
namespace {

std::string_view code_of(std::string_view error) {
  return error.substr(0, error.find(' '));
}

// Errors that any other command would meet as well, unlike those of one key (WRONGTYPE) or of
// writes (OOM, READONLY): reading goes on in spite of these.
bool concerns_every_command(std::string_view error) {
  constexpr std::array<std::string_view, 6> kCodes = {"LOADING",     "NOAUTH", "NOPERM",
                                                      "CLUSTERDOWN", "BUSY",   "MASTERDOWN"};
  return std::find(kCodes.begin(), kCodes.end(), code_of(error)) != kCodes.end();
}

}  // namespace

Session::Session(const Options& options, CircuitBreaker& breaker, Redirector* redirector)
    : breaker_(breaker),
      redirector_(redirector),
      role_(options.role),
      channel_(options.channel),
      on_message_(options.on_message),
      parser_(options.limits),
      max_outstanding_(options.max_outstanding) {
  if (!options.user.empty()) {
    say(Step::kAuth, "AUTH", options.user, options.password);
  } else if (!options.password.empty()) {
    say(Step::kAuth, "AUTH", options.password);
  }
  if (options.predecessor) {
    say(Step::kEndPredecessor, "CLIENT", "KILL", "ID", options.predecessor->id, "ADDR",
        options.predecessor->address);
  }
  if (options.identify) say(Step::kIdentify, "CLIENT", "INFO");
  if (options.database != 0) say(Step::kSelect, "SELECT", std::to_string(options.database));
  if (options.reads_replica) say(Step::kReadOnly, "READONLY");
  if (options.role != ServerRole::kAny) say(Step::kRole, "ROLE");
  if (!channel_.empty()) {
    say(Step::kHello, "HELLO", "3");
    say(Step::kSubscribe, "SUBSCRIBE", channel_);
  }
  say(Step::kPing, "PING");
}

template <class... Arguments>
void Session::say(Step step, const Arguments&... arguments) {
  append_command(output_, {std::string_view(arguments)...});
  handshake_.push_back(step);
}

bool Session::submit(OperationPtr operation, TimePoint now) {
  if (slots_.size() >= max_outstanding_) {
    operation->fail({ErrorCode::kOverloaded, "redis: too many commands are unanswered"});
    return false;
  }
  std::string& out = state_ == State::kHandshaking ? held_back_ : output_;
  const bool asking = operation->routing.asking;
  const std::size_t before = out.size();
  if (asking) append_command(out, {"ASKING"});
  if (operation->append_to(out)) {
    slots_.push_back({std::move(operation), now, asking});
  } else {
    out.resize(before);
  }
  return true;
}

std::size_t Session::receive(std::string_view input, TimePoint now) {
  std::size_t consumed = 0;
  while (state_ != State::kBroken) {
    const RespParser::Status status = parser_.parse(input.substr(consumed));
    if (status == RespParser::Status::kError) {
      break_off("the server does not speak RESP: " + parser_.error());
      break;
    }
    if (status == RespParser::Status::kReply) on_reply(parser_.reply(), now);
    consumed += parser_.consumed();
    if (status == RespParser::Status::kNeedMore) break;
  }
  return consumed;
}

void Session::on_reply(RespReply reply, TimePoint now) {
  if (reply[0].type == RespType::kPush) return on_push(reply);
  if (state_ == State::kHandshaking) return on_handshake_reply(reply);
  if (slots_.empty()) return break_off("the server answered what nobody asked");
  // Where ASKING is refused, so is the command after it.
  if (std::exchange(slots_.front().asking, false)) return;
  OperationPtr operation = std::move(slots_.front().operation);
  slots_.pop_front();
  if (operation == nullptr) {
    --overdue_;
    return;
  }
  answer(std::move(operation), reply, now);
}

// [subscribe, channel, count] or [message, channel, payload]; others are none of ours.
void Session::on_push(RespReply reply) {
  if (channel_.empty() || reply.size() != 4 || reply[2].text != channel_) return;
  if (reply[1].text == "message") {
    if (on_message_) on_message_(reply[3].text);
  } else if (reply[1].text == "subscribe" && state_ == State::kHandshaking &&
             handshake_.front() == Step::kSubscribe) {
    handshake_.pop_front();
  }
}

void Session::on_handshake_reply(RespReply reply) {
  const Step step = handshake_.front();
  handshake_.pop_front();
  if (std::string complaint = complaint_about(step, reply); !complaint.empty()) {
    return break_off(std::move(complaint));
  }
  if (!handshake_.empty()) return;
  state_ = State::kReady;
  output_ += std::exchange(held_back_, {});
}

std::string Session::complaint_about(Step step, RespReply reply) {
  constexpr std::array<std::string_view, 9> kNames = {"AUTH",   "CLIENT KILL", "CLIENT INFO",
                                                      "SELECT", "READONLY",    "ROLE",
                                                      "HELLO",  "SUBSCRIBE",   "PING"};
  const std::string name(kNames[static_cast<std::size_t>(step)]);
  const RespNode& root = reply[0];
  // A user or a server without these two commands does without what they are for.
  if (step == Step::kEndPredecessor) return {};
  if (step == Step::kIdentify) {
    if (root.type == RespType::kBulkString) identity_ = ClientIdentity::parse(root.text);
    return {};
  }
  if (root.type == RespType::kError) return name + " was refused: " + quoted(root.text);
  if (step == Step::kRole) return complaint_about_role(role_, reply);
  if (step == Step::kHello && root.type == RespType::kMap) return {};
  const std::string_view expected = step == Step::kPing ? "PONG" : "OK";
  if (root.type == RespType::kSimpleString && root.text == expected) return {};
  return "the server does not answer " + name + " as Redis does";
}

void Session::answer(OperationPtr operation, RespReply reply, TimePoint now) {
  ++answered_;
  if (reply[0].type == RespType::kError) {
    return answer_error(std::move(operation), reply[0].text, now);
  }
  if (operation->complete(reply)) {
    breaker_.record_success();
    return;
  }
  operation->fail({ErrorCode::kProtocol, "redis: the answer does not fit the command"});
  break_off("an answer does not fit its command");
}

void Session::answer_error(OperationPtr operation, std::string_view error, TimePoint now) {
  if (redirector_ != nullptr && redirector_->take_back(operation, error)) {
    breaker_.record_success();
    return;
  }
  if (concerns_every_command(error) && !operation->is_optional()) {
    breaker_.record_failure(now);
  } else {
    breaker_.record_success();
  }
  const bool lost_its_role = role_ == ServerRole::kMaster && code_of(error) == "READONLY";
  const ErrorCode code = lost_its_role ? ErrorCode::kUnavailable : ErrorCode::kProtocol;
  operation->fail({code, "redis: " + quoted(error)});
  // What is on the wire behind it fails likewise, and is as good as not sent.
  if (lost_its_role) break_off("the server is not the master any more", code);
}

void Session::expire(TimePoint now) {
  while (overdue_ < slots_.size() && slots_[overdue_].operation->deadline <= now) {
    const OperationPtr operation = std::move(slots_[overdue_].operation);
    ++overdue_;
    breaker_.record_failure(now);
    operation->fail({ErrorCode::kDeadlineExceeded, "redis: no answer in time"});
  }
}

void Session::close(const Error& error) {
  for (Slot& slot : std::exchange(slots_, {})) {
    if (slot.operation != nullptr) slot.operation->fail(error);
  }
  overdue_ = 0;
  state_ = State::kBroken;
}

std::optional<TimePoint> Session::next_deadline() const {
  if (overdue_ == slots_.size()) return std::nullopt;
  return slots_[overdue_].operation->deadline;
}

std::optional<TimePoint> Session::waiting_since() const {
  if (slots_.empty()) return std::nullopt;
  return slots_.front().sent;
}

void Session::break_off(std::string why, ErrorCode code) {
  error_ = {code, "redis: " + std::move(why)};
  state_ = State::kBroken;
}

}  // namespace llm_edge_cache::redis
