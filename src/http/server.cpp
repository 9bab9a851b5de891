#include "http/server.hpp"

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <list>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"
#include "http/options.hpp"
#include "http/server_connection.hpp"
#include "http/tls_context.hpp"
#include "http/url.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Connections over the limit that may wait for their 503 to be read.
constexpr std::size_t kOverloadRoom = 256;
constexpr std::chrono::milliseconds kAcceptRetry{100};  // out of file descriptors, for example

tcp::endpoint resolve_listen(asio::io_context& context, const std::string& listen) {
  const Result<HostPort> parsed = parse_host_port(listen);
  if (!parsed.ok()) throw std::invalid_argument("listen: " + parsed.error().message);
  if (parsed->host.empty()) return {tcp::v4(), parsed->port};
  tcp::resolver resolver(context);
  IoError error;
  const auto found = resolver.resolve(parsed->host, std::to_string(parsed->port), error);
  if (error) throw std::system_error(error, "listen address " + listen);
  return found.begin()->endpoint();
}

}  // namespace

Status ServerOptions::validate() const {
  if (const auto parsed = parse_host_port(listen); !parsed.ok()) {
    return Error{ErrorCode::kInvalidArgument, "listen: " + parsed.error().message};
  }
  return check_positive({
      {"max_connections", static_cast<long long>(max_connections)},
      {"max_header_bytes", static_cast<long long>(max_header_bytes)},
      {"max_header_fields", static_cast<long long>(max_header_fields)},
      {"max_target_bytes", static_cast<long long>(max_target_bytes)},
      {"max_body_bytes", static_cast<long long>(max_body_bytes)},
      {"max_write_queue_bytes", static_cast<long long>(max_write_queue_bytes)},
      {"tls_handshake_timeout_ms", tls_handshake_timeout_ms},
      {"header_timeout_ms", header_timeout_ms},
      {"body_timeout_ms", body_timeout_ms},
      {"min_body_bytes_per_second", min_body_bytes_per_second},
      {"idle_timeout_ms", idle_timeout_ms},
      {"write_timeout_ms", write_timeout_ms},
      {"drain_timeout_ms", drain_timeout_ms},
  });
}

class Server::Core : public std::enable_shared_from_this<Server::Core> {
 public:
  Core(IoThreads& threads, ServerOptions options, std::shared_ptr<Handler> handler)
      : threads_(threads),
        connections_(threads.size()),
        acceptor_(threads.at(0).context()),
        retry_(threads.at(0).context()) {
    if (const Status valid = options.validate(); !valid.ok()) {
      throw std::invalid_argument(valid.error().message);
    }
    if (options.tls) {
      if (const Status loaded = reload_tls(*options.tls); !loaded.ok()) {
        throw std::invalid_argument(loaded.error().message);
      }
    }
    auto shared = std::make_shared<ServerShared>();
    shared->options = std::move(options);
    shared->handler = std::move(handler);
    shared_ = std::move(shared);
    listen();
  }

  void start() {
    threads_.at(0).post([self = shared_from_this()] { self->accept(); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connection_count() const { return count_.load(); }

  Status reload_tls(const TlsServerOptions& tls) {
    Result<TlsContextPtr> made = make_server_context(tls);
    if (!made.ok()) return made.error();
    const MutexLock lock(tls_mutex_);
    tls_ = std::move(*made);
    return {};
  }

  void drain(std::function<void()> done) {
    threads_.at(0).post([self = shared_from_this(), done = std::move(done)]() mutable {
      self->begin_drain(std::move(done));
    });
  }

  void stop() {
    if (stopped_.exchange(true)) return;
    threads_.run_on_each([this](IoThread& thread) {
      if (thread.index() == 0) close_acceptor();
    });
    // Twice: a connection that was on its way to its thread has arrived by the second time.
    for (int round = 0; round < 2; ++round) {
      threads_.run_on_each([this](IoThread& thread) { drop_all(thread); });
    }
  }

 private:
  using Connections = std::list<std::shared_ptr<ServerConnection>>;

  void listen() {
    const tcp::endpoint endpoint =
        resolve_listen(threads_.at(0).context(), shared_->options.listen);
    try {
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      if (endpoint.protocol() == tcp::v6()) {
        acceptor_.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()));
      }
      acceptor_.bind(endpoint);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      throw std::system_error(error.code(), "cannot listen on " + shared_->options.listen);
    }
    port_ = acceptor_.local_endpoint().port();
  }

  void accept() {
    if (!acceptor_.is_open()) return;
    IoThread& thread = threads_.at(next_thread_++ % threads_.size());
    acceptor_.async_accept(thread.context(),
                           [self = shared_from_this(), &thread](IoError error, Socket socket) {
                             if (!self->acceptor_.is_open()) return;
                             if (error) return self->retry_accept();
                             self->assign(thread, std::move(socket));
                             self->accept();
                           });
  }

  void retry_accept() {
    retry_.expires_after(kAcceptRetry);
    retry_.async_wait([self = shared_from_this()](IoError error) {
      if (!error) self->accept();
    });
  }

  // Counts the connection before it travels, so that the limit holds at any speed of accepting.
  void assign(IoThread& thread, Socket socket) {
    const std::size_t limit = shared_->options.max_connections;
    const std::size_t count = count_.fetch_add(1) + 1;
    if (count > limit + kOverloadRoom || (count > limit && shared_->options.tls)) {
      return uncount();
    }
    const bool overloaded = count > limit;
    if (thread.is_current()) return adopt(thread, std::move(socket), overloaded);
    thread.post([self = shared_from_this(), &thread, overloaded,
                 socket = std::make_shared<Socket>(std::move(socket))] {
      self->adopt(thread, std::move(*socket), overloaded);
    });
  }

  void adopt(IoThread& thread, Socket socket, bool overloaded) {
    IoError error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    if (stopped_ || error) return uncount();
    Connections& connections = connections_[thread.index()];
    connections.emplace_back();
    const auto place = std::prev(connections.end());
    *place = std::make_shared<ServerConnection>(
        make_stream(thread, std::move(socket)),
        ServerConnectionContext{thread, shared_, remote.address().to_string()},
        [self = shared_from_this(), &connections, place] { self->forget(connections, place); });
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): start() may forget *place.
    const std::shared_ptr<ServerConnection> connection = *place;
    if (draining_) connection->drain();
    overloaded ? connection->start_overloaded() : connection->start();
  }

  std::unique_ptr<Stream> make_stream(IoThread& thread, Socket socket) {
    if (!shared_->options.tls) return make_plain_stream(thread, std::move(socket));
    TlsContextPtr context;
    {
      const MutexLock lock(tls_mutex_);
      context = tls_;
    }
    return make_tls_stream(std::move(socket), std::move(context), {.role = TlsRole::kServer});
  }

  void forget(Connections& connections, Connections::iterator place) {
    connections.erase(place);
    uncount();
  }

  // The last one ends a drain.
  void uncount() {
    if (count_.fetch_sub(1) == 1 && draining_) {
      threads_.at(0).post([self = shared_from_this()] { self->end_drain_if_empty(); });
    }
  }

  void close_acceptor() {
    IoError ignored;
    acceptor_.close(ignored);
    retry_.cancel();
  }

  // A copy, because connections leave the list as they close.
  void drop_all(IoThread& thread) {
    for (const auto& connection : Connections(connections_[thread.index()])) connection->drop();
  }

  void begin_drain(std::function<void()> done) {
    close_acceptor();
    drained_.push_back(std::move(done));
    if (draining_.exchange(true)) return end_drain_if_empty();
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_.at(i).post([self = shared_from_this(), i] {
        for (const auto& connection : Connections(self->connections_[i])) connection->drain();
      });
    }
    retry_.expires_after(std::chrono::milliseconds(shared_->options.drain_timeout_ms));
    retry_.async_wait([self = shared_from_this()](IoError error) {
      if (error) return;
      for (std::size_t i = 0; i < self->threads_.size(); ++i) {
        self->threads_.at(i).post([self, i] { self->drop_all(self->threads_.at(i)); });
      }
    });
    end_drain_if_empty();
  }

  void end_drain_if_empty() {
    if (count_ != 0) return;
    retry_.cancel();
    for (const auto& done : std::exchange(drained_, {})) done();
  }

  IoThreads& threads_;
  std::shared_ptr<const ServerShared> shared_;
  std::vector<Connections> connections_;  // each belongs to the thread of its index
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> draining_{false};
  std::atomic<bool> stopped_{false};
  std::uint16_t port_ = 0;

  Mutex tls_mutex_;
  TlsContextPtr tls_ LEC_GUARDED_BY(tls_mutex_);

  // Thread 0's.
  asio::basic_socket_acceptor<tcp, IoThread::Executor> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, IoThread::Executor>
      retry_;
  std::size_t next_thread_ = 0;
  std::vector<std::function<void()>> drained_;
};

Server::Server(IoThreads& threads, ServerOptions options, std::shared_ptr<Handler> handler)
    : core_(std::make_shared<Core>(threads, std::move(options), std::move(handler))) {
  core_->start();
}

Server::~Server() {
  stop();
}

std::uint16_t Server::port() const {
  return core_->port();
}

std::size_t Server::connection_count() const {
  return core_->connection_count();
}

Status Server::reload_tls(const TlsServerOptions& tls) {
  return core_->reload_tls(tls);
}

void Server::drain(std::function<void()> done) {
  core_->drain(std::move(done));
}

void Server::stop() {
  core_->stop();
}

}  // namespace llm_edge_cache::http
