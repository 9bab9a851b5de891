// What the commands that serve have in common: where they listen, said so that scripts can read it,
// and how they are told to end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace llm_edge_cache::app {

// "127.0.0.1:40123" for the option "127.0.0.1:0" and the port that was bound.
[[nodiscard]] std::string bound_address(std::string_view option, std::uint16_t port);

// One line of JSON on standard output: {"event":"ready","listen":"127.0.0.1:40123"}.
void print_ready(std::initializer_list<std::pair<std::string_view, std::string>> addresses);

// Blocks the caller until SIGINT or SIGTERM came and the work that this set off is done.
//
// The first signal calls on_stop, whose argument ends the wait, from any thread. The second ends
// the process at once with 128 + its number.
class StopSignals {
 public:
  using Finished = std::function<void()>;

  // Installs the handlers: make it before threads start that could be interrupted.
  StopSignals();
  // From now on SIGHUP calls reload, on the thread that waits. Before wait(), once; without it
  // SIGHUP ends the process.
  void on_hangup(std::function<void()> reload);
  void wait(const std::function<void(Finished)>& on_stop);

 private:
  boost::asio::io_context context_{1};
  void await_hangup();

  boost::asio::signal_set signals_;
  boost::asio::signal_set hangups_{context_};
  std::function<void()> reload_;
};

}  // namespace llm_edge_cache::app
