#include "tiers/redis/sentinel_locator.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/parse_number.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

std::optional<ServerAddress> address_of(std::string_view host, std::string_view port_text) {
  const auto port = parse_number<std::uint16_t>(port_text);
  if (host.empty() || port.value_or(0) == 0) return std::nullopt;
  return ServerAddress{.host = std::string(host), .port = *port};
}

// What a sentinel says of one server: [name, value, name, value ..], one level below the list.
class Fields {
 public:
  // Leaves *at behind them.
  Fields(RespReply reply, std::size_t* at) {
    const std::size_t first = ++*at;
    while (*at < reply.size() && reply[*at].depth > 1) ++*at;
    nodes_ = reply.subspan(first, *at - first);
  }
  // Empty where there is no such field.
  [[nodiscard]] std::string_view operator[](std::string_view name) const {
    for (std::size_t i = 0; i + 1 < nodes_.size(); i += 2) {
      if (nodes_[i].text == name) return nodes_[i + 1].text;
    }
    return {};
  }

 private:
  RespReply nodes_;
};

bool is_well(const Fields& replica) {
  const std::string_view flags = replica["flags"];
  const auto has = [flags](std::string_view flag) {
    return flags.find(flag) != std::string_view::npos;
  };
  return has("slave") && !has("down") && !has("disconnected") &&
         replica["master-link-status"] == "ok";
}

}  // namespace

class SentinelLocator::Question final : public Operation {
 public:
  explicit Question(SentinelLocator& locator) : locator_(locator) {}

  bool append_to(std::string& out) override {
    const Options& options = locator_.options_;
    append_command(out, {"SENTINEL", options.names_replica ? "REPLICAS" : "GET-MASTER-ADDR-BY-NAME",
                         options.master});
    return true;
  }
  bool complete(RespReply reply) override {
    answer_ = locator_.options_.names_replica ? locator_.choose_from(reply) : parse(reply);
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
    : context_(context),
      options_(std::move(options)),
      asked_(options_.first),
      chosen_(options_.first) {}

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
  auto address = address_of(reply[1].text, reply[2].text);
  if (!address) return Error{ErrorCode::kProtocol, "redis: the sentinel names no address"};
  return *std::move(address);
}

Result<std::vector<ServerAddress>> SentinelLocator::parse_replicas(RespReply reply) {
  if (reply[0].type != RespType::kArray) {
    return Error{ErrorCode::kProtocol, "redis: the answer is not one of a sentinel"};
  }
  std::vector<ServerAddress> well;
  for (std::size_t i = 1; i < reply.size();) {
    Fields fields(reply, &i);
    auto address = address_of(fields["ip"], fields["port"]);
    if (address && is_well(fields)) well.push_back(*std::move(address));
  }
  if (well.empty()) return Error{ErrorCode::kUnavailable, "redis: no replica is well"};
  std::sort(well.begin(), well.end());
  return well;
}

Result<ServerAddress> SentinelLocator::choose_from(RespReply reply) {
  Result<std::vector<ServerAddress>> well = parse_replicas(reply);
  if (!well.ok()) return well.error();
  return (*well)[chosen_++ % well->size()];
}

}  // namespace llm_edge_cache::redis
