// The channel over which the processes on one store hear of each other: a connection of its own
// that subscribes, publishes, and asks in between whether it is still alive.
//
// A PING every keepalive, with the operation deadline: a server that freezes, or a connection that
// is half open, is given up after that and five deadlines more. In a cluster, which carries a
// message to all its nodes, any of them will do; a fleet meets at one (AnyNodeLocator), and leaves
// one that serves no slots any more.
//
// News goes out at once, and in one message as much of it as came while the last one was under way;
// what could not be told waits (NewsQueue) until the channel is up again, or answers again. A
// channel that is lost is taken up again at once: until then its process hears nothing.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tiers/redis/connection.hpp"
#include "tiers/redis/fleet_message.hpp"
#include "tiers/redis/news_queue.hpp"

namespace llm_edge_cache::redis {

// Threads: announce(), announce_all() and the observers from any; the rest, and the calls of the
// owner's functions, on the thread that runs the io_context, which outlives the channel and has run
// out of work when it is destroyed.
class FleetChannel {
 public:
  struct Options {
    std::string channel{};
    std::chrono::milliseconds keepalive{1'000};
    std::chrono::milliseconds operation_timeout{100};
    // Asked at every keepalive; true: the connection is to a node that hears nothing, or late. May
    // be empty.
    std::function<bool()> is_astray{};
    std::function<void(const FleetMessage&)> on_message{};  // of others
    // It hears everything from now on.
    std::function<void()> on_listening{};
    // The first attempt has ended, either way.
    std::function<void()> on_first_attempt{};
  };

  // Of the connection, session.channel, session.on_message, on_link, on_gate and retries_at_once
  // are set here.
  FleetChannel(boost::asio::io_context& context, Connection::Options connection, Options options,
               TierEventSink sink);

  void start();
  void stop();

  // Called once all that waits was told, or cannot be: one at a time.
  void drain(std::function<void()> done);
  void announce(FleetMessage::Kind kind, const KeyDigest& key);
  void announce_all();

  [[nodiscard]] bool is_listening() const { return listening_.load(std::memory_order_acquire); }
  // sent, received, unreadable, overflows, losses and is_listening.
  void add_to(FleetReport& report) const;

 private:
  class Publish;

  [[nodiscard]] Connection::Options connection_options(Connection::Options options);
  void on_payload(std::string_view payload);
  void on_link(bool is_up);
  void wake();
  void pump();
  void send(OperationPtr operation);
  void end_drain();
  void on_published(std::optional<NewsQueue::Batch> untold);
  void set_timer();
  void on_tick();

  boost::asio::io_context& context_;
  const Options options_;
  const NodeId node_ = make_node_id();
  TierEventLog events_;
  AtomicCounters counters_;
  NewsQueue news_;
  std::atomic<bool> listening_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> unreadable_{0};
  std::atomic<std::uint64_t> losses_{0};

  bool stopped_ = false;
  bool is_publishing_ = false;
  bool has_tried_ = false;
  std::function<void()> drained_;
  boost::asio::steady_timer timer_;
  Connection connection_;
};

}  // namespace llm_edge_cache::redis
