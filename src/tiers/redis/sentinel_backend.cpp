#include "tiers/redis/sentinel_backend.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/redirect.hpp"
#include "tiers/redis/server_role.hpp"

namespace llm_edge_cache::redis {
namespace {

Connection::Options with_redirector(Connection::Options options, Redirector& redirector) {
  options.redirector = &redirector;
  return options;
}

}  // namespace

class SentinelBackend::RoleQuestion final : public Operation {
 public:
  explicit RoleQuestion(SentinelBackend& backend) : backend_(backend) {
    deadline = now() + backend.operation_timeout();
  }

  bool append_to(std::string& out) override {
    append_command(out, {"ROLE"});
    return true;
  }
  bool complete(RespReply reply) override {
    if (std::string why = complaint_about_role(ServerRole::kReplica, reply); !why.empty()) {
      backend_.on_replica_unfit(why);
    }
    return true;
  }
  void fail(const Error& /*the connection deals with it*/) override {}

 private:
  SentinelBackend& backend_;
};

SentinelBackend::SentinelBackend(boost::asio::io_context& context, Connection::Options master,
                                 Connection::Options replica, TierEventLog& events,
                                 AtomicCounters& counters)
    : Backend(context, master.operation_timeout),
      timer_(context),
      master_(context, std::move(master), events, counters),
      replica_(context, with_redirector(std::move(replica), *this), events, counters) {}

void SentinelBackend::on_start() {
  if (stopped_) return;
  master_.start();
  replica_.start();
  set_timer();
}

void SentinelBackend::on_stop() {
  stopped_ = true;
  timer_.cancel();
  master_.stop(shutting_down());
  replica_.stop(shutting_down());
  for (const OperationPtr& operation : std::exchange(returned_, {})) {
    operation->fail(shutting_down());
  }
}

void SentinelBackend::receive(std::vector<Mailbox::Item>& items) {
  for (Mailbox::Item& item : items) {
    if (stopped_) {
      item.operation->fail(shutting_down());
    } else if (item.ordered) {
      master_.submit(std::move(item.operation), Order::kBehindWrites, now());
    } else {
      ask_at_once(std::move(item.operation));
    }
  }
  settle();
}

void SentinelBackend::ask_at_once(OperationPtr operation) {
  const bool may_be_replicas = operation->only_reads() && !operation->routing.primary_only;
  Connection& server = may_be_replicas && replica_.is_ready() ? replica_ : master_;
  server.submit(std::move(operation), Order::kAtOnce, now());
}

bool SentinelBackend::take_back(OperationPtr& operation, std::string_view error) {
  if (stopped_ || !operation->only_reads() || !replica_refuses(error)) return false;
  operation->routing.primary_only = true;
  returned_.push_back(std::move(operation));
  if (returned_.size() == 1) boost::asio::post(context(), [this] { send_on(); });
  return true;
}

void SentinelBackend::send_on() {
  for (OperationPtr& operation : std::exchange(returned_, {})) ask_at_once(std::move(operation));
  settle();
}

void SentinelBackend::settle() {
  master_.settle();
  replica_.settle();
}

void SentinelBackend::set_timer() {
  timer_.expires_after(kReplicaCheck);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    if (replica_.is_ready()) {
      replica_.submit(std::make_unique<RoleQuestion>(*this), Order::kAtOnce, now());
      replica_.settle();
    }
    set_timer();
  });
}

// Told by an answer that the connection is still busy with.
void SentinelBackend::on_replica_unfit(const std::string& why) {
  boost::asio::post(context(), [this, why] {
    if (stopped_) return;
    replica_.drop({ErrorCode::kUnavailable, "redis: " + why});
    replica_.settle();
  });
}

}  // namespace llm_edge_cache::redis
