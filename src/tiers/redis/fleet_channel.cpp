#include "tiers/redis/fleet_channel.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/heartbeat.hpp"

namespace llm_edge_cache::redis {

class FleetChannel::Publish final : public Operation {
 public:
  Publish(FleetChannel& channel, NewsQueue::Batch batch)
      : channel_(channel), batch_(std::move(batch)) {}

  bool append_to(std::string& out) override {
    append_command(out, {"PUBLISH", channel_.options_.channel,
                         encode_fleet_message(channel_.node_, batch_.kind, batch_.keys)});
    return true;
  }
  bool complete(RespReply reply) override {
    if (reply[0].type != RespType::kInteger) return false;
    channel_.on_published(std::nullopt);
    return true;
  }
  void fail(const Error& error) override {
    if (error.code == ErrorCode::kProtocol) {
      channel_.events_.report(TierEventKind::kStoreError, error.message, now());
    }
    channel_.on_published(std::move(batch_));
  }
  [[nodiscard]] bool is_optional() const override { return true; }

 private:
  FleetChannel& channel_;
  NewsQueue::Batch batch_;
};

FleetChannel::FleetChannel(boost::asio::io_context& context, Connection::Options connection,
                           Options options, TierEventSink sink)
    : context_(context),
      options_(std::move(options)),
      events_(std::move(sink)),
      timer_(context),
      connection_(context, connection_options(std::move(connection)), events_, counters_) {}

Connection::Options FleetChannel::connection_options(Connection::Options options) {
  options.name += ", channel " + options_.channel;
  options.session.channel = options_.channel;
  options.session.on_message = [this](std::string_view payload) { on_payload(payload); };
  options.on_link = [this](bool is_up) { on_link(is_up); };
  options.on_gate = [this] {
    if (news_.size() > 0) wake();
  };
  options.retries_at_once = true;
  return options;
}

void FleetChannel::start() {
  boost::asio::post(context_, [this] {
    if (stopped_) return;
    connection_.start();
    set_timer();
  });
}

void FleetChannel::stop() {
  boost::asio::post(context_, [this] {
    stopped_ = true;
    timer_.cancel();
    connection_.stop(shutting_down());
  });
}

void FleetChannel::drain(std::function<void()> done) {
  boost::asio::post(context_, [this, done = std::move(done)] {
    drained_ = done;
    pump();
    end_drain();
  });
}

void FleetChannel::end_drain() {
  const bool goes_on = connection_.is_ready() && (is_publishing_ || news_.size() > 0);
  if (drained_ && !goes_on) std::exchange(drained_, nullptr)();
}

void FleetChannel::announce(FleetMessage::Kind kind, const KeyDigest& key) {
  if (news_.add(kind, key)) wake();
}

void FleetChannel::announce_all() {
  if (news_.add_all()) wake();
}

void FleetChannel::wake() {
  boost::asio::post(context_, [this] { pump(); });
}

void FleetChannel::pump() {
  if (stopped_ || is_publishing_ || !connection_.is_ready()) return;
  auto batch = news_.take();
  if (!batch) return;
  is_publishing_ = true;
  auto publish = std::make_unique<Publish>(*this, *std::move(batch));
  publish->deadline = now() + options_.operation_timeout;
  send(std::move(publish));
}

void FleetChannel::send(OperationPtr operation) {
  connection_.submit(std::move(operation), Connection::Order::kAtOnce, now());
  connection_.settle();
}

// What was not told is told again when the connection answers again, on the next one, or, where it
// was refused, at the next keepalive: to hear it twice does no harm.
void FleetChannel::on_published(std::optional<NewsQueue::Batch> untold) {
  is_publishing_ = false;
  if (untold) {
    news_.give_back(*std::move(untold));
  } else {
    sent_.fetch_add(1, std::memory_order_relaxed);
    if (news_.size() > 0) wake();
  }
  end_drain();
}

void FleetChannel::on_payload(std::string_view payload) {
  const Result<FleetMessage> message = decode_fleet_message(payload);
  if (!message.ok()) {
    unreadable_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (message->sender == node_) return;
  options_.on_message(*message);
  received_.fetch_add(1, std::memory_order_release);  // whoever reads it finds it heeded
}

void FleetChannel::on_link(bool is_up) {
  if (is_up) {
    options_.on_listening();
    if (news_.size() > 0) wake();
  } else if (is_listening()) {
    losses_.fetch_add(1, std::memory_order_relaxed);
  }
  listening_.store(is_up, std::memory_order_release);
  if (!std::exchange(has_tried_, true)) options_.on_first_attempt();
}

void FleetChannel::set_timer() {
  timer_.expires_after(options_.keepalive);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    on_tick();
    set_timer();
  });
}

void FleetChannel::on_tick() {
  if (!connection_.is_ready()) return;
  if (options_.is_astray && options_.is_astray()) {
    connection_.drop(
        {ErrorCode::kUnavailable, "redis: another node of the cluster carries the channel"});
    return connection_.settle();
  }
  send(std::make_unique<Heartbeat>(now() + options_.operation_timeout));
  pump();
}

void FleetChannel::add_to(FleetReport& report) const {
  report.has_channel = true;
  report.is_listening = is_listening();
  report.sent = sent_.load(std::memory_order_relaxed);
  report.received = received_.load(std::memory_order_acquire);
  report.unreadable = unreadable_.load(std::memory_order_relaxed);
  report.overflows = news_.overflows();
  report.losses = losses_.load(std::memory_order_relaxed);
}

}  // namespace llm_edge_cache::redis
