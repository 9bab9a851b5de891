#include "tiers/redis/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tiers/redis/recording_operation.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kPing = "*1\r\n$4\r\nPING\r\n";

class SessionTest : public ::testing::Test {
 protected:
  Session& open(Session::Options options = {}) {
    session_.emplace(options, breaker_);
    return *session_;
  }
  Session& open_ready(Session::Options options = {}) {
    Session& session = open(options);
    feed("+PONG\r\n");
    session.output().clear();
    return session;
  }

  void submit(const std::string& name, milliseconds deadline = milliseconds{100},
              RecordingOperation::Options options = {}) {
    options.deadline = now_ + deadline;
    session_->submit(recording(name, journal_, options), now_);
  }
  std::size_t feed(std::string_view bytes) { return session_->receive(bytes, now_); }

  TimePoint now_{std::chrono::hours{1}};
  CircuitBreaker breaker_{{.failures = 3, .open_for = milliseconds{1'000}}};
  Journal journal_;
  std::optional<Session> session_;
};

TEST_F(SessionTest, begins_with_a_ping_where_no_log_in_is_needed) {
  Session& session = open();
  EXPECT_EQ(session.output(), kPing);
  EXPECT_EQ(session.state(), Session::State::kHandshaking);
  EXPECT_EQ(feed("+PONG\r\n"), 7U);
  EXPECT_EQ(session.state(), Session::State::kReady);
}

TEST_F(SessionTest, logs_in_and_selects_before_anything_else) {
  Session& session = open({.user = "alice", .password = "pw", .database = 5});
  EXPECT_EQ(session.output(),
            "*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$2\r\npw\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n" +
                std::string(kPing));
  (void)feed("+OK\r\n+OK\r\n");
  EXPECT_EQ(session.state(), Session::State::kHandshaking);
  (void)feed("+PONG\r\n");
  EXPECT_EQ(session.state(), Session::State::kReady);
}

TEST_F(SessionTest, logs_in_without_a_user) {
  EXPECT_EQ(open({.password = "pw"}).output(),
            "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n" + std::string(kPing));
}

TEST_F(SessionTest, breaks_off_where_the_server_refuses_the_log_in) {
  Session& session = open({.password = "s3cret"});
  (void)feed("-WRONGPASS invalid username-password pair\r\n");
  EXPECT_EQ(session.state(), Session::State::kBroken);
  EXPECT_EQ(session.error().code, ErrorCode::kProtocol);
  EXPECT_THAT(session.error().message, HasSubstr("AUTH was refused: WRONGPASS"));
  EXPECT_THAT(session.error().message, Not(HasSubstr("s3cret")));
}

TEST_F(SessionTest, breaks_off_where_the_server_is_loading) {
  Session& session = open();
  (void)feed("-LOADING Redis is loading the dataset in memory\r\n");
  EXPECT_THAT(session.error().message, HasSubstr("PING was refused: LOADING"));
}

TEST_F(SessionTest, breaks_off_where_the_greeting_is_not_of_redis) {
  Session& session = open();
  (void)feed("+HELLO\r\n");
  EXPECT_THAT(session.error().message, HasSubstr("does not answer PING as Redis does"));
}

TEST_F(SessionTest, breaks_off_where_the_answer_is_not_resp) {
  Session& session = open();
  (void)feed("SSH-2.0-OpenSSH\r\n");
  EXPECT_EQ(session.state(), Session::State::kBroken);
  EXPECT_THAT(session.error().message, HasSubstr("does not speak RESP"));
}

TEST_F(SessionTest, quotes_no_control_characters_of_a_server) {
  Session& session = open();
  (void)feed("-ERR \x1b[31mred\a" + std::string(500, 'x') + "\r\n");
  EXPECT_THAT(session.error().message, HasSubstr("ERR ?[31mred?x"));
  EXPECT_LT(session.error().message.size(), 200U);
}

TEST_F(SessionTest, holds_commands_back_until_the_handshake_is_done) {
  Session& session = open();
  submit("a");
  EXPECT_EQ(session.output(), kPing);
  session.output().clear();
  (void)feed("+PONG\r\n");
  EXPECT_EQ(session.output(), "<a>");
  (void)feed("$1\r\n1\r\n");
  EXPECT_THAT(journal_, ElementsAre("a = 1"));
}

TEST_F(SessionTest, lets_all_commands_leave_in_one_write) {
  Session& session = open_ready();
  submit("a");
  submit("b");
  submit("c");
  EXPECT_EQ(session.output(), "<a><b><c>");
}

TEST_F(SessionTest, gives_each_command_its_own_answer) {
  open_ready();
  submit("a");
  submit("b");
  EXPECT_EQ(feed("$1\r\n1\r\n$1\r\n2\r\n"), 14U);
  EXPECT_THAT(journal_, ElementsAre("a = 1", "b = 2"));
  EXPECT_EQ(session_->outstanding(), 0U);
  EXPECT_EQ(session_->answered(), 2U);
}

TEST_F(SessionTest, leaves_half_of_an_answer_to_its_caller) {
  open_ready();
  submit("a");
  EXPECT_EQ(feed("$5\r\nhel"), 0U);
  EXPECT_EQ(session_->bytes_missing(), 4U);
  EXPECT_THAT(journal_, IsEmpty());
  EXPECT_EQ(feed("$5\r\nhello\r\n"), 11U);
  EXPECT_THAT(journal_, ElementsAre("a = hello"));
}

TEST_F(SessionTest, forgets_an_operation_that_has_nothing_to_send) {
  open_ready();
  submit("a", milliseconds{100}, {.sends = false});
  EXPECT_EQ(session_->outstanding(), 0U);
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, fails_what_is_due_and_no_more) {
  open_ready();
  submit("a", milliseconds{100});
  submit("b", milliseconds{200});
  EXPECT_EQ(session_->next_deadline(), now_ + milliseconds{100});
  session_->expire(now_ + milliseconds{99});
  EXPECT_THAT(journal_, IsEmpty());
  session_->expire(now_ + milliseconds{100});
  EXPECT_THAT(journal_, ElementsAre("a: deadline_exceeded"));
  EXPECT_EQ(session_->next_deadline(), now_ + milliseconds{200});
}

TEST_F(SessionTest, drops_late_answers_and_still_matches_the_next) {
  open_ready();
  submit("a", milliseconds{100});
  submit("b", milliseconds{100});
  submit("c", milliseconds{900});
  session_->expire(now_ + milliseconds{100});
  EXPECT_TRUE(session_->stalled());
  (void)feed("$4\r\nlate\r\n");
  EXPECT_TRUE(session_->stalled());
  (void)feed("$4\r\nlate\r\n$1\r\n3\r\n");
  EXPECT_FALSE(session_->stalled());
  EXPECT_THAT(journal_, ElementsAre("a: deadline_exceeded", "b: deadline_exceeded", "c = 3"));
}

TEST_F(SessionTest, knows_since_when_it_waits) {
  open_ready();
  EXPECT_EQ(session_->waiting_since(), std::nullopt);
  const TimePoint first = now_;
  submit("a");
  now_ += milliseconds{50};
  submit("b");
  session_->expire(now_ + milliseconds{500});
  EXPECT_EQ(session_->waiting_since(), first);
  (void)feed("$4\r\nlate\r\n");
  EXPECT_EQ(session_->waiting_since(), now_);
}

TEST_F(SessionTest, counts_the_deadline_of_what_is_held_back) {
  Session& session = open();
  submit("a", milliseconds{100});
  session.expire(now_ + milliseconds{100});
  EXPECT_THAT(journal_, ElementsAre("a: deadline_exceeded"));
  EXPECT_TRUE(session.stalled());
}

TEST_F(SessionTest, passes_on_an_error_as_the_failure_of_its_command_alone) {
  open_ready();
  submit("a");
  submit("b");
  (void)feed("-OOM command not allowed\r\n$1\r\n2\r\n");
  EXPECT_THAT(journal_, ElementsAre("a: protocol", "b = 2"));
  EXPECT_EQ(RecordingOperation::message, "redis: OOM command not allowed");
  EXPECT_EQ(session_->state(), Session::State::kReady);
}

TEST_F(SessionTest, breaks_off_on_an_answer_that_cannot_be_its_commands) {
  open_ready();
  submit("a");
  submit("b");
  (void)feed(":1\r\n$1\r\n2\r\n");
  EXPECT_THAT(journal_, ElementsAre("a: protocol"));
  EXPECT_EQ(session_->state(), Session::State::kBroken);
  session_->close({ErrorCode::kUnavailable, "lost"});
  EXPECT_THAT(journal_, ElementsAre("a: protocol", "b: unavailable"));
}

TEST_F(SessionTest, breaks_off_on_an_answer_that_nobody_asked_for) {
  open_ready();
  (void)feed("$1\r\n1\r\n");
  EXPECT_EQ(session_->state(), Session::State::kBroken);
}

TEST_F(SessionTest, takes_a_push_for_no_answer) {
  open_ready();
  submit("a");
  (void)feed(">2\r\n+invalidate\r\n+x\r\n$1\r\n1\r\n");
  EXPECT_THAT(journal_, ElementsAre("a = 1"));
}

TEST_F(SessionTest, refuses_more_than_it_may_have_outstanding) {
  open_ready({.max_outstanding = 2});
  submit("a");
  submit("b");
  submit("c");
  EXPECT_THAT(journal_, ElementsAre("c: overloaded"));
  EXPECT_EQ(session_->output(), "<a><b>");
}

TEST_F(SessionTest, fails_all_that_is_outstanding_when_it_is_closed) {
  open_ready();
  submit("a", milliseconds{1});
  submit("b");
  session_->expire(now_ + milliseconds{1});
  session_->close({ErrorCode::kCancelled, "bye"});
  EXPECT_THAT(journal_, ElementsAre("a: deadline_exceeded", "b: cancelled"));
  EXPECT_EQ(session_->outstanding(), 0U);
}

TEST_F(SessionTest, opens_the_breaker_by_deadlines_missed) {
  open_ready();
  for (const char* name : {"a", "b", "c"}) submit(name);
  session_->expire(now_ + milliseconds{100});
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(SessionTest, opens_the_breaker_by_errors_that_all_commands_would_meet) {
  open_ready();
  for (const char* name : {"a", "b", "c"}) submit(name);
  (void)feed("-LOADING x\r\n-NOAUTH x\r\n-BUSY x\r\n");
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(SessionTest, keeps_the_breaker_closed_through_errors_of_single_keys_and_of_writes) {
  open_ready();
  for (const char* name : {"a", "b", "c", "d"}) submit(name);
  (void)feed("-OOM x\r\n-READONLY x\r\n-WRONGTYPE x\r\n-ERR x\r\n");
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(SessionTest, makes_the_breaker_forget_failures_by_an_answer) {
  open_ready();
  breaker_.record_failure(now_);
  breaker_.record_failure(now_);
  submit("a");
  (void)feed("$1\r\n1\r\n");
  breaker_.record_failure(now_);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(SessionTest, ends_its_predecessor_before_it_says_anything_else) {
  Session& session =
      open({.password = "pw", .identify = true, .predecessor = ClientIdentity{"7", "1.2.3.4:5"}});
  const std::string kill =
      "*6\r\n$6\r\nCLIENT\r\n$4\r\nKILL\r\n$2\r\nID\r\n$1\r\n7\r\n$4\r\nADDR\r\n$9\r\n1.2.3.4:"
      "5\r\n";
  EXPECT_LT(session.output().find("AUTH"), session.output().find(kill));
  EXPECT_LT(session.output().find(kill), session.output().find("INFO"));
  (void)feed("+OK\r\n:1\r\n$14\r\nid=8 addr=a:1\n\r\n+PONG\r\n");
  EXPECT_EQ(session.state(), Session::State::kReady);
  EXPECT_EQ(session.identity(), (ClientIdentity{"8", "a:1"}));
}

TEST_F(SessionTest, does_without_client_commands_where_they_are_refused) {
  Session& session = open({.identify = true, .predecessor = ClientIdentity{"7", "a:1"}});
  (void)feed("-NOPERM no\r\n-ERR unknown command\r\n+PONG\r\n");
  EXPECT_EQ(session.state(), Session::State::kReady);
  EXPECT_FALSE(session.identity().has_value());
}

TEST_F(SessionTest, takes_a_master_only_where_it_must) {
  Session& session = open({.role = ServerRole::kMaster});
  (void)feed("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+PONG\r\n");
  EXPECT_EQ(session.state(), Session::State::kReady);
  Session& replica = open({.role = ServerRole::kMaster});
  (void)feed("*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n");
  EXPECT_EQ(replica.state(), Session::State::kBroken);
  EXPECT_THAT(replica.error().message, HasSubstr("the server is a slave, not the master"));
  Session& nonsense = open({.role = ServerRole::kMaster});
  (void)feed("+master\r\n");
  EXPECT_THAT(nonsense.error().message, HasSubstr("does not answer ROLE as Redis does"));
}

TEST_F(SessionTest, breaks_off_where_its_master_becomes_a_replica) {
  Session& session = open({.role = ServerRole::kMaster});
  (void)feed("*1\r\n$6\r\nmaster\r\n+PONG\r\n");
  submit("a");
  (void)feed("-READONLY You can't write against a read only replica.\r\n");
  EXPECT_THAT(journal_, ElementsAre("a: unavailable"));  // it may do for the next master
  EXPECT_EQ(session.state(), Session::State::kBroken);
}

TEST_F(SessionTest, asks_a_replica_of_a_cluster_to_serve_reads) {
  EXPECT_EQ(open({.reads_replica = true}).output(),
            "*1\r\n$8\r\nREADONLY\r\n" + std::string(kPing));
}

TEST_F(SessionTest, says_asking_before_a_command_and_drops_the_answer_to_it) {
  Session& session = open_ready();
  OperationPtr operation = recording("a", journal_, {.deadline = now_ + milliseconds{100}});
  operation->routing.asking = true;
  session.submit(std::move(operation), now_);
  submit("b");
  EXPECT_EQ(session.output(), "*1\r\n$6\r\nASKING\r\n<a><b>");
  (void)feed("+OK\r\n$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_THAT(journal_, ElementsAre("a = 1", "b = 2"));
}

TEST_F(SessionTest, drops_both_late_answers_of_an_overdue_command_that_asked) {
  Session& session = open_ready();
  OperationPtr operation = recording("a", journal_, {.deadline = now_ + milliseconds{100}});
  operation->routing.asking = true;
  session.submit(std::move(operation), now_);
  submit("b", milliseconds{900});
  session.expire(now_ + milliseconds{200});
  (void)feed("+OK\r\n$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_THAT(journal_, ElementsAre("a: deadline_exceeded", "b = 2"));
}

class Taker final : public Redirector {
 public:
  bool take_back(OperationPtr& operation, std::string_view error) override {
    if (!error.starts_with("MOVED")) return false;
    taken.push_back(std::move(operation));
    return true;
  }
  std::vector<OperationPtr> taken;
};

TEST_F(SessionTest, gives_back_what_the_server_sends_elsewhere) {
  Taker taker;
  session_.emplace(Session::Options{}, breaker_, &taker);
  (void)feed("+PONG\r\n");
  submit("a");
  submit("b");
  (void)feed("-MOVED 1 h:1\r\n-ERR no\r\n");
  EXPECT_EQ(taker.taken.size(), 1U);
  EXPECT_THAT(journal_, ElementsAre("b: protocol"));
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

}  // namespace
}  // namespace llm_edge_cache::redis
