#include "listening.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "http/url.hpp"

namespace llm_edge_cache::app {

std::string bound_address(std::string_view option, std::uint16_t port) {
  const auto address = http::parse_host_port(option);
  if (!address) return std::string(option);
  if (address->host.empty()) return fmt::format("0.0.0.0:{}", port);
  const bool is_v6 = address->host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address->host, is_v6 ? "]" : "", port);
}

void print_ready(std::initializer_list<std::pair<std::string_view, std::string>> addresses) {
  nlohmann::ordered_json line = {{"event", "ready"}};
  for (const auto& [name, address] : addresses) line[std::string(name)] = address;
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

StopSignals::StopSignals() : signals_(context_, SIGINT, SIGTERM) {}

void StopSignals::on_hangup(std::function<void()> reload) {
  reload_ = std::move(reload);
  hangups_.add(SIGHUP);
  await_hangup();
}

void StopSignals::await_hangup() {
  hangups_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    reload_();
    await_hangup();
  });
}

void StopSignals::wait(const std::function<void(Finished)>& on_stop) {
  auto guard = boost::asio::make_work_guard(context_);
  signals_.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    signals_.async_wait([](const boost::system::error_code& cancelled, int number) {
      if (!cancelled) ::_exit(128 + number);
    });
    on_stop([this] { boost::asio::post(context_, [this] { context_.stop(); }); });
  });
  context_.run();
}

}  // namespace llm_edge_cache::app
