#include "tiers/redis/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr std::size_t kMaxQuotedBytes = 120;

// A server's words, fit for a log.
std::string quoted(std::string_view text) {
  std::string result(text.substr(0, kMaxQuotedBytes));
  std::replace_if(result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

// Errors that any other command would meet as well, unlike those of one key (WRONGTYPE) or of
// writes (OOM, READONLY): reading goes on in spite of these.
bool concerns_every_command(std::string_view error) {
  constexpr std::array<std::string_view, 6> kCodes = {"LOADING",     "NOAUTH", "NOPERM",
                                                      "CLUSTERDOWN", "BUSY",   "MASTERDOWN"};
  const std::string_view code = error.substr(0, error.find(' '));
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

Session::Session(const Options& options, CircuitBreaker& breaker)
    : breaker_(breaker), parser_(options.limits), max_outstanding_(options.max_outstanding) {
  if (!options.user.empty()) {
    append_command(output_, {"AUTH", options.user, options.password});
    handshake_.emplace_back("AUTH");
  } else if (!options.password.empty()) {
    append_command(output_, {"AUTH", options.password});
    handshake_.emplace_back("AUTH");
  }
  if (options.database != 0) {
    append_command(output_, {"SELECT", std::to_string(options.database)});
    handshake_.emplace_back("SELECT");
  }
  append_command(output_, {"PING"});
  handshake_.emplace_back("PING");
}

bool Session::submit(OperationPtr operation, TimePoint now) {
  if (slots_.size() >= max_outstanding_) {
    operation->fail({ErrorCode::kOverloaded, "redis: too many commands are unanswered"});
    return false;
  }
  if (operation->append_to(state_ == State::kHandshaking ? held_back_ : output_)) {
    slots_.push_back({std::move(operation), now});
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
  if (reply[0].type == RespType::kPush) return;
  if (state_ == State::kHandshaking) return on_handshake_reply(reply[0]);
  if (slots_.empty()) return break_off("the server answered what nobody asked");
  const OperationPtr operation = std::move(slots_.front().operation);
  slots_.pop_front();
  if (operation == nullptr) {
    --overdue_;
    return;
  }
  answer(*operation, reply, now);
}

void Session::on_handshake_reply(const RespNode& root) {
  const std::string_view step = handshake_.front();
  handshake_.erase(handshake_.begin());
  if (root.type == RespType::kError) {
    return break_off(std::string(step) + " was refused: " + quoted(root.text));
  }
  const std::string_view expected = step == "PING" ? "PONG" : "OK";
  if (root.type != RespType::kSimpleString || root.text != expected) {
    return break_off("the server does not answer " + std::string(step) + " as Redis does");
  }
  if (!handshake_.empty()) return;
  state_ = State::kReady;
  output_ += std::exchange(held_back_, {});
}

void Session::answer(Operation& operation, RespReply reply, TimePoint now) {
  ++answered_;
  if (reply[0].type == RespType::kError) {
    if (concerns_every_command(reply[0].text)) {
      breaker_.record_failure(now);
    } else {
      breaker_.record_success();
    }
    operation.fail({ErrorCode::kProtocol, "redis: " + quoted(reply[0].text)});
    return;
  }
  if (operation.complete(reply)) {
    breaker_.record_success();
    return;
  }
  const Error error{ErrorCode::kProtocol, "redis: the answer does not fit the command"};
  operation.fail(error);
  break_off("an answer does not fit its command");
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

void Session::break_off(std::string why) {
  error_ = {ErrorCode::kProtocol, "redis: " + std::move(why)};
  state_ = State::kBroken;
}

}  // namespace llm_edge_cache::redis
