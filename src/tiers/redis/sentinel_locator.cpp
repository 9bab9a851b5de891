#include "tiers/redis/sentinel_locator.hpp"

#include <utility>

#include "base/parse_number.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {

class SentinelLocator::Question final : public Operation {
 public:
  explicit Question(SentinelLocator& locator) : locator_(locator) {}

  bool append_to(std::string& out) override {
    append_command(out, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", locator_.options_.master});
    return true;
  }
  bool complete(RespReply reply) override {
    answer_ = parse(reply);
    return true;
  }
  void fail(const Error& error) override { answer_ = error; }
  // Its outcome is told when the session is done with it: then the link may be closed.
  ~Question() override { locator_.finish(std::move(answer_)); }

 private:
  SentinelLocator& locator_;
  Result<ServerAddress> answer_ = Error{ErrorCode::kCancelled, "redis: not asked"};
};

SentinelLocator::SentinelLocator(boost::asio::io_context& context, Options options)
    : context_(context), options_(std::move(options)), asked_(options_.first) {}

void SentinelLocator::locate(Handler handler) {
  handler_ = std::move(handler);
  const ServerAddress& sentinel = options_.sentinels[asked_ % options_.sentinels.size()];
  link_ =
      std::make_shared<Link>(context_, sentinel, options_.tls, Session(options_.session, breaker_),
                             static_cast<Link::Owner&>(*this));
  auto question = std::make_unique<Question>(*this);
  question->deadline = TimePoint::max();  // the attempt has one
  link_->session().submit(std::move(question), now());
  link_->start();
}

void SentinelLocator::cancel() {
  // Whoever gives an attempt up had no help from this sentinel.
  if (std::exchange(handler_, nullptr)) ++asked_;
  if (const auto link = std::exchange(link_, nullptr)) {
    link->close();
    link->session().close({ErrorCode::kCancelled, "redis: given up"});
  }
}

void SentinelLocator::on_received() {
  if (link_ != nullptr) link_->write();
}

void SentinelLocator::on_written() {
  if (link_ != nullptr) link_->write();
}

void SentinelLocator::on_lost(const Error& error) {
  const auto link = std::exchange(link_, nullptr);
  finish(error);
  if (link != nullptr) link->session().close(error);
}

void SentinelLocator::finish(Result<ServerAddress> result) {
  const Handler handler = std::exchange(handler_, nullptr);
  if (!handler) return;
  if (const auto link = std::exchange(link_, nullptr)) link->close();
  if (result.ok()) return handler(std::move(result));
  const std::string name = options_.sentinels[asked_ % options_.sentinels.size()].to_string();
  ++asked_;
  handler(Error{result.error().code, result.error().message + " (sentinel " + name + ")"});
}

Result<ServerAddress> SentinelLocator::parse(RespReply reply) {
  if (reply[0].type == RespType::kNull) {
    return Error{ErrorCode::kUnavailable, "redis: the sentinel does not know this master"};
  }
  if (reply.size() != 3 || reply[0].type != RespType::kArray ||
      reply[1].type != RespType::kBulkString || reply[2].type != RespType::kBulkString) {
    return Error{ErrorCode::kProtocol, "redis: the answer is not one of a sentinel"};
  }
  const auto port = parse_number<std::uint16_t>(reply[2].text);
  if (reply[1].text.empty() || port.value_or(0) == 0) {
    return Error{ErrorCode::kProtocol, "redis: the sentinel names no address"};
  }
  return ServerAddress{.host = std::string(reply[1].text), .port = *port};
}

}  // namespace llm_edge_cache::redis
