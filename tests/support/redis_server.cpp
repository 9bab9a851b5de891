#include "tests/support/redis_server.hpp"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"

namespace llm_edge_cache::test {
namespace {

constexpr int kStartAttempts = 5;

struct ContextDeleter {
  void operator()(redisContext* context) const { ::redisFree(context); }
};
struct ReplyDeleter {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using ContextPtr = std::unique_ptr<redisContext, ContextDeleter>;
using ReplyPtr = std::unique_ptr<redisReply, ReplyDeleter>;

ReplyPtr send(redisContext* context, const std::vector<std::string>& arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  return ReplyPtr(static_cast<redisReply*>(
      ::redisCommandArgv(context, static_cast<int>(texts.size()), texts.data(), sizes.data())));
}

std::string text_of(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY:
      break;
    default:
      return {reply.str, reply.len};
  }
  std::string joined;
  for (std::size_t i = 0; i < reply.elements; ++i) {
    if (i > 0) joined += ' ';
    joined += text_of(*reply.element[i]);
  }
  return joined;
}

}  // namespace

void MutualTls::apply_to(RedisServerOptions& options, std::size_t server) const {
  if (!is_on()) return;
  options.transport = RedisServerOptions::Transport::kTls;
  options.certificate = certificates[std::min(server, certificates.size() - 1)];
  options.ca_file = ca_file;
}

RedisServer::RedisServer(RedisServerOptions options) : options_(std::move(options)) {
  // hiredis speaks no TLS: the test's own commands take the socket.
  if (options_.transport != RedisServerOptions::Transport::kTcp) {
    socket_path_ = (directory_.path() / "redis.sock").string();
  }
  for (int attempt = 1;; ++attempt) {
    if (options_.transport != RedisServerOptions::Transport::kUnixSocket) port_ = choose_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == kStartAttempts) throw;  // each attempt had a new port
    }
  }
}

std::uint16_t RedisServer::choose_port() const {
  constexpr std::uint16_t kBusOffset = 10'000;
  for (;;) {
    const std::uint16_t port = free_port();
    if (!options_.cluster_bus || port < 65'535 - kBusOffset) return port;
  }
}

std::vector<std::string> RedisServer::arguments() const {
  if (options_.sentinel) return sentinel_arguments();
  std::vector<std::string> result = {LEC_REDIS_SERVER,
                                     is_tls() ? "--tls-port" : "--port",
                                     std::to_string(port_),
                                     "--bind",
                                     "127.0.0.1",
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no",
                                     "--daemonize",
                                     "no",
                                     "--dir",
                                     directory_.path().string()};
  const auto add = [&result](std::initializer_list<std::string> more) {
    result.insert(result.end(), more);
  };
  if (is_tls()) {
    add({"--port", "0", "--tls-cert-file", options_.certificate.certificate_file, "--tls-key-file",
         options_.certificate.key_file, "--tls-auth-clients",
         options_.ca_file.empty() ? "no" : "yes"});
    if (!options_.ca_file.empty()) {
      add({"--tls-ca-cert-file", options_.ca_file, "--tls-replication", "yes", "--tls-cluster",
           options_.cluster_bus ? "yes" : "no"});
    }
  }
  if (!socket_path_.empty()) add({"--unixsocket", socket_path_});
  if (!options_.password.empty()) add({"--requirepass", options_.password});
  if (!options_.maxmemory.empty()) add({"--maxmemory", options_.maxmemory});
  result.insert(result.end(), options_.extra_args.begin(), options_.extra_args.end());
  return result;
}

std::vector<std::string> RedisServer::sentinel_arguments() const {
  const std::filesystem::path configuration = directory_.path() / "sentinel.conf";
  std::ofstream file(configuration);  // it writes down there what it learns
  file << (is_tls() ? "tls-port " : "port ") << port_ << "\nbind 127.0.0.1\nloglevel warning\n";
  if (is_tls()) {
    file << "port 0\nunixsocket " << socket_path_ << "\ntls-replication yes\ntls-cert-file "
         << options_.certificate.certificate_file << "\ntls-key-file "
         << options_.certificate.key_file << "\ntls-ca-cert-file " << options_.ca_file << '\n';
  }
  if (!options_.password.empty()) file << "requirepass " << options_.password << '\n';
  return {LEC_REDIS_SERVER, configuration.string(), "--sentinel"};
}

void RedisServer::start() {
  process_ = std::make_unique<ChildProcess>(ChildOptions{.argv = arguments()});
  const bool up = eventually([this] { return !process_->running() || answers(); });
  if (!up || !process_->running()) {
    throw std::runtime_error("redis-server did not start: " + process_->output() +
                             process_->error_output());
  }
}

bool RedisServer::answers() {
  try {
    return command({"PING"}) == "PONG";
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string RedisServer::url() const {
  const std::string credentials = options_.password.empty() ? "" : ":" + options_.password + "@";
  if (is_tls()) return "rediss://" + credentials + "localhost:" + std::to_string(port_);
  if (!socket_path_.empty()) return "redis+unix://" + credentials + socket_path_;
  return "redis://" + credentials + "127.0.0.1:" + std::to_string(port_);
}

void RedisServer::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait()) throw std::runtime_error("redis-server did not stop");
}

void RedisServer::kill() {
  process_->signal(SIGKILL);
  if (!process_->wait()) throw std::runtime_error("redis-server did not die");
}

void RedisServer::freeze() {
  process_->signal(SIGSTOP);
}

void RedisServer::thaw() {
  process_->signal(SIGCONT);
}

void RedisServer::restart() {
  kill();
  start();
}

std::string RedisServer::command(const std::vector<std::string>& arguments) {
  constexpr auto kLimit = std::chrono::duration_cast<std::chrono::seconds>(kEventually);
  const timeval limit{kLimit.count(), 0};
  const ContextPtr context(socket_path_.empty()
                               ? ::redisConnectWithTimeout("127.0.0.1", port_, limit)
                               : ::redisConnectUnixWithTimeout(socket_path_.c_str(), limit));
  if (context == nullptr || context->err != 0) throw std::runtime_error("no redis-server");
  ::redisSetTimeout(context.get(), limit);
  if (!options_.password.empty()) send(context.get(), {"AUTH", options_.password});
  const ReplyPtr reply = send(context.get(), arguments);
  if (reply == nullptr) throw std::runtime_error(std::string("no answer: ") + context->errstr);
  return text_of(*reply);
}

}  // namespace llm_edge_cache::test
