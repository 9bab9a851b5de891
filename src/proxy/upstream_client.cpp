#include "proxy/upstream_client.hpp"

#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/random.hpp"
#include "proxy/upstream_attempts.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Does not hold the attempts: whoever has a call may be held by them.
class AttemptsCall final : public http::ClientCall {
 public:
  explicit AttemptsCall(std::weak_ptr<UpstreamAttempts> attempts)
      : attempts_(std::move(attempts)) {}

  void cancel() override {
    if (const auto attempts = attempts_.lock()) attempts->cancel();
  }
  void pause() override {
    with_call([](http::ClientCall& call) { call.pause(); });
  }
  void resume() override {
    with_call([](http::ClientCall& call) { call.resume(); });
  }
  http::WriteResult write(std::string_view bytes) override { return write_any(bytes); }
  http::WriteResult write(const http::SharedBytes& bytes) override { return write_any(bytes); }
  void finish() override {
    with_call([](http::ClientCall& call) { call.finish(); });
  }
  void on_drain(std::function<void()> callback) override {
    with_call([&](http::ClientCall& call) { call.on_drain(std::move(callback)); });
  }

 private:
  template <class Act>
  void with_call(Act act) {
    const auto attempts = attempts_.lock();
    if (attempts != nullptr && attempts->call() != nullptr) act(*attempts->call());
  }
  template <class Bytes>
  http::WriteResult write_any(const Bytes& bytes) {
    auto result = http::WriteResult::kClosed;
    with_call([&](http::ClientCall& call) { result = call.write(bytes); });
    return result;
  }

  const std::weak_ptr<UpstreamAttempts> attempts_;
};

std::uint64_t random_seed() {
  const auto bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

}  // namespace

UpstreamClient::UpstreamClient(http::IoThreads& threads, const UpstreamTable& table, ClockPtr clock,
                               Options options)
    : threads_(threads) {
  if (const auto status = options.retries.validate(); !status.ok()) {
    throw std::invalid_argument("retries." + status.error().message);
  }
  shared_ = std::shared_ptr<UpstreamShared>(
      new UpstreamShared{.table = table,
                         .clock = std::move(clock),
                         .retries = options.retries,
                         .http = std::make_unique<http::Client>(threads, std::move(options.http)),
                         .members = {},
                         .threads = std::vector<UpstreamShared::PerThread>(threads.size()),
                         .next_seed = random_seed()});
  for (const auto& group : table.groups()) {
    auto& members = shared_->members.emplace_back();
    for (std::size_t i = 0; i < group.members.size(); ++i) {
      members.push_back(std::make_unique<UpstreamShared::Member>(options.retries));
    }
  }
}

UpstreamClient::~UpstreamClient() {
  threads_.run_on_each([this](http::IoThread& thread) {
    auto& mine = shared_->threads[thread.index()];
    mine.is_closed = true;
    mine.waiting.clear();
  });
  shared_->http.reset();
}

std::shared_ptr<http::ClientCall> UpstreamClient::request(
    http::IoThread& thread, UpstreamOrder order, std::shared_ptr<http::ResponseHandler> handler) {
  const auto attempts =
      std::make_shared<UpstreamAttempts>(shared_, thread, std::move(order), std::move(handler));
  attempts->start();
  return std::make_shared<AttemptsCall>(attempts);
}

std::vector<UpstreamMemberReport> UpstreamClient::report() const {
  std::vector<UpstreamMemberReport> reports;
  const auto& groups = shared_->table.groups();
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (std::size_t i = 0; i < groups[group].members.size(); ++i) {
      reports.push_back(shared_->members[group][i]->state.report(groups[group].name,
                                                                 groups[group].members[i].label));
    }
  }
  return reports;
}

}  // namespace llm_edge_cache::proxy
