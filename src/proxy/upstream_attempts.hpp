// One request to an upstream group: RetryPlan decides, this acts.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "http/client.hpp"
#include "http/timer_wheel.hpp"
#include "proxy/retry_plan.hpp"
#include "proxy/upstream_client.hpp"

namespace llm_edge_cache::proxy {

class UpstreamAttempts;

// What the requests of a client share.
struct UpstreamShared {
  // Belongs to the thread of its index.
  struct PerThread {
    std::set<std::shared_ptr<UpstreamAttempts>> waiting;  // nobody else may hold them
    bool is_closed = false;                               // http may be gone
  };

  struct Member {
    explicit Member(const RetryOptions& options) : state(options) {}

    MemberState state;
    std::atomic<bool> is_unreachable = false;
  };

  const UpstreamTable& table;
  ClockPtr clock;
  RetryOptions retries;
  std::unique_ptr<http::Client> http;
  std::vector<std::vector<std::unique_ptr<Member>>> members;  // by group
  std::vector<PerThread> threads;
  std::atomic<std::uint64_t> next_seed;
};

// On its thread. Held by the attempt under way, or by the set of those that wait.
class UpstreamAttempts final : public http::ResponseHandler,
                               private MemberGate,
                               public std::enable_shared_from_this<UpstreamAttempts> {
 public:
  UpstreamAttempts(std::shared_ptr<UpstreamShared> shared, http::IoThread& thread,
                   UpstreamOrder order, std::shared_ptr<http::ResponseHandler> handler);

  void start();
  // The handler hears nothing any more.
  void cancel();
  // The attempt under way; null while none is.
  [[nodiscard]] http::ClientCall* call() { return call_.get(); }

  void on_connected() override;
  void on_head(http::ResponseHead head) override;
  void on_data(std::string_view bytes) override;
  void on_batch_end() override;
  void on_end(http::ResponseEnd end) override;
  void on_error(http::ClientError error) override;

 private:
  [[nodiscard]] bool admits(std::size_t member) override;
  [[nodiscard]] bool is_unreachable(std::size_t member) override;

  [[nodiscard]] UpstreamShared::PerThread& on_this_thread() const;
  [[nodiscard]] UpstreamShared::Member& member_at(std::size_t index) const;

  void go_to(RetryPlan::Attempt attempt);
  void send();
  void on_waited();
  void fail_unreachable();
  // True where another attempt takes the place of the one that failed.
  bool try_again(const AttemptFailure& failure);
  [[nodiscard]] std::optional<AttemptFailure> failure_of(const http::ResponseHead& head) const;
  [[nodiscard]] std::optional<AttemptFailure> record(const http::ClientError& error);
  [[nodiscard]] std::shared_ptr<http::ResponseHandler> release();

  const std::shared_ptr<UpstreamShared> shared_;
  http::IoThread& thread_;
  const UpstreamOrder order_;
  std::shared_ptr<http::ResponseHandler> handler_;  // null: over

  RetryPlan plan_;
  std::size_t member_ = 0;
  RetryPlan::TimePoint started_;
  std::shared_ptr<http::ClientCall> call_;
  bool has_begun_ = false;  // the handler has a head
  http::MemberTimer<UpstreamAttempts, &UpstreamAttempts::on_waited> timer_{*this};
};

}  // namespace llm_edge_cache::proxy
