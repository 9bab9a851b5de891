#include "http/client.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/client_connection.hpp"
#include "http/options.hpp"

namespace llm_edge_cache::http {
namespace {

class LinkedCall final : public ClientCall {
 public:
  explicit LinkedCall(std::shared_ptr<ClientCallLink> link) : link_(std::move(link)) {}

  void cancel() override {
    link_->cancelled = true;
    if (alive()) link_->connection->cancel();
  }
  void pause() override {
    if (alive()) link_->connection->pause();
  }
  void resume() override {
    if (alive()) link_->connection->resume();
  }
  WriteResult write(std::string_view bytes) override {
    return alive() ? link_->connection->write(bytes) : WriteResult::kClosed;
  }
  WriteResult write(const SharedBytes& bytes) override {
    return alive() ? link_->connection->write(bytes) : WriteResult::kClosed;
  }
  void finish() override {
    if (alive()) link_->connection->finish();
  }
  void on_drain(std::function<void()> callback) override {
    if (alive()) link_->connection->on_drain(std::move(callback));
  }

 private:
  [[nodiscard]] bool alive() const { return link_->connection != nullptr; }
  std::shared_ptr<ClientCallLink> link_;
};

// The connections of one thread.
class ThreadPool final : public ClientPool {
 public:
  ThreadPool(IoThread& thread, std::shared_ptr<const ClientShared> shared)
      : thread_(thread), shared_(std::move(shared)) {}

  void request(const Origin& origin, ClientRequest request) {
    if (auto connection = take_idle(origin)) return connection->begin(std::move(request));
    if (request.body && origins_[key_of(origin)].nearly_idle > 0) {
      return thread_.post([this, is_closed = is_closed_, origin, request = std::move(request)] {
        if (!*is_closed && !request.link->cancelled) request_now(origin, request);
      });
    }
    request_now(origin, std::move(request));
  }

  void request_now(const Origin& origin, ClientRequest request) {
    if (const auto connection = take_idle(origin)) return connection->begin(std::move(request));
    const PerOrigin& pool = origins_[key_of(origin)];
    if (pool.connections >= shared_->options.max_connections_per_origin) {
      return thread_.post([request = std::move(request), origin] {
        if (request.link->cancelled) return;
        request.handler->on_error(
            {.error = {ErrorCode::kOverloaded, "too many connections to " + origin.authority()},
             .at = FailedAt::kConnect});
      });
    }
    open(origin)->begin(std::move(request));
  }

  void close_all() {
    *is_closed_ = true;
    for (const auto& [pointer, connection] : std::unordered_map(connections_)) connection->close();
  }

  [[nodiscard]] std::size_t idle_count() const {
    return idle_count_.load(std::memory_order_relaxed);
  }

  void on_nearly_idle(const ClientConnection& connection) override {
    ++origins_[key_of(connection.origin())].nearly_idle;
  }

  void on_idle(const std::shared_ptr<ClientConnection>& connection) override {
    PerOrigin& pool = origins_[key_of(connection->origin())];
    if (connection->was_nearly_idle()) --pool.nearly_idle;
    if (pool.idle.size() >= shared_->options.max_idle_per_origin) return connection->close();
    pool.idle.push_back(connection);
    idle_count_.fetch_add(1, std::memory_order_relaxed);
  }

  void on_closed(ClientConnection& connection) override {
    const auto found = origins_.find(key_of(connection.origin()));
    PerOrigin& pool = found->second;
    const auto gone = std::erase_if(
        pool.idle, [&](const auto& candidate) { return candidate.get() == &connection; });
    idle_count_.fetch_sub(gone, std::memory_order_relaxed);
    if (connection.was_nearly_idle()) --pool.nearly_idle;
    if (--pool.connections == 0) origins_.erase(found);
    connections_.erase(&connection);
  }

  void on_stale(const std::shared_ptr<ClientConnection>& connection) override {
    ClientRequest request = connection->take_request();
    connection->close();
    open(connection->origin())->begin(std::move(request));
  }

  AddressBook& addresses() override { return addresses_; }

 private:
  using Key = std::tuple<Scheme, std::string, std::uint16_t>;
  struct PerOrigin {
    std::vector<std::shared_ptr<ClientConnection>> idle;
    std::size_t connections = 0;  // idle or not
    std::size_t nearly_idle = 0;  // worth waiting for: the next turn of the loop tells
  };

  static Key key_of(const Origin& origin) { return {origin.scheme, origin.host, origin.port}; }

  // The last one used, which is the least likely to be stale. Null where none can be used.
  std::shared_ptr<ClientConnection> take_idle(const Origin& origin) {
    while (true) {
      const auto found = origins_.find(key_of(origin));
      if (found == origins_.end() || found->second.idle.empty()) return nullptr;
      auto connection = std::move(found->second.idle.back());
      found->second.idle.pop_back();
      idle_count_.fetch_sub(1, std::memory_order_relaxed);
      if (connection->is_quiet()) return connection;
      connection->close();
    }
  }

  std::shared_ptr<ClientConnection> open(const Origin& origin) {
    auto connection = std::make_shared<ClientConnection>(thread_, shared_, origin, *this);
    connections_.emplace(connection.get(), connection);
    ++origins_[key_of(origin)].connections;
    return connection;
  }

  IoThread& thread_;
  const std::shared_ptr<const ClientShared> shared_;
  std::map<Key, PerOrigin> origins_;
  std::unordered_map<const ClientConnection*, std::shared_ptr<ClientConnection>> connections_;
  AddressBook addresses_;
  std::atomic<std::size_t> idle_count_{0};
  const std::shared_ptr<bool> is_closed_ = std::make_shared<bool>(false);
};

}  // namespace

Status ClientOptions::validate() const {
  return check_positive({
      {"connect_timeout_ms", connect_timeout_ms},
      {"first_byte_timeout_ms", first_byte_timeout_ms},
      {"idle_read_timeout_ms", idle_read_timeout_ms},
      {"write_timeout_ms", write_timeout_ms},
      {"pool_idle_timeout_ms", pool_idle_timeout_ms},
      {"max_header_bytes", static_cast<long long>(max_header_bytes)},
      {"max_header_fields", static_cast<long long>(max_header_fields)},
      {"max_connections_per_origin", static_cast<long long>(max_connections_per_origin)},
      {"max_write_queue_bytes", static_cast<long long>(max_write_queue_bytes)},
  });
}

class Client::Core {
 public:
  Core(IoThreads& threads, ClientOptions options) : threads_(threads) {
    if (const Status valid = options.validate(); !valid.ok()) {
      throw std::invalid_argument(valid.error().message);
    }
    Result<TlsContextPtr> tls = make_client_context(options.tls);
    if (!tls.ok()) throw std::runtime_error(tls.error().message);
    auto shared = std::make_shared<ClientShared>();
    shared->options = std::move(options);
    shared->tls = std::move(*tls);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      pools_.push_back(std::make_unique<ThreadPool>(threads.at(i), shared));
    }
  }

  ~Core() {
    threads_.run_on_each([this](IoThread& thread) { pools_[thread.index()]->close_all(); });
  }

  [[nodiscard]] ThreadPool& pool_of(const IoThread& thread) { return *pools_[thread.index()]; }

  [[nodiscard]] std::size_t idle_connections() const {
    std::size_t count = 0;
    for (const auto& pool : pools_) count += pool->idle_count();
    return count;
  }

 private:
  IoThreads& threads_;
  std::vector<std::unique_ptr<ThreadPool>> pools_;  // each belongs to the thread of its index
};

Client::Client(IoThreads& threads, ClientOptions options)
    : core_(std::make_unique<Core>(threads, std::move(options))) {}

Client::~Client() = default;

std::shared_ptr<ClientCall> Client::request(IoThread& thread, const Origin& origin,
                                            RequestHead head, std::optional<SharedBytes> body,
                                            std::shared_ptr<ResponseHandler> handler) {
  auto link = std::make_shared<ClientCallLink>();
  auto call = std::make_shared<LinkedCall>(link);
  core_->pool_of(thread).request(
      origin, {std::move(head), std::move(body), std::move(handler), std::move(link)});
  return call;
}

std::size_t Client::idle_connections() const {
  return core_->idle_connections();
}

}  // namespace llm_edge_cache::http
