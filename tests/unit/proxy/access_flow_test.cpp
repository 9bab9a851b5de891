// What the access log is told of requests of every kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "proxy/access_record.hpp"
#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

class RecordedAccess final : public AccessSink {
 public:
  void write(const AccessRecord& record) override {
    const std::lock_guard lock(mutex_);
    records_.push_back(record);
  }
  // The next one that was written, once there is one.
  AccessRecord next() {
    EXPECT_TRUE(eventually([this] {
      const std::lock_guard lock(mutex_);
      return !records_.empty();
    }));
    const std::lock_guard lock(mutex_);
    auto record = records_.empty() ? AccessRecord{} : std::move(records_.front());
    if (!records_.empty()) records_.pop_front();
    return record;
  }

 private:
  std::mutex mutex_;
  std::deque<AccessRecord> records_;
};

struct Log {
  const std::shared_ptr<RecordedAccess> log_ = std::make_shared<RecordedAccess>();
};

class AccessFlowTest : public Log, public ProxyTest {
 protected:
  AccessFlowTest() : ProxyTest(with_log(log_)) { answer_json(); }

  static ProxyTestOptions with_log(std::shared_ptr<AccessSink> log) {
    ProxyTestOptions options;
    options.proxy.access_log = std::move(log);
    return options;
  }
};

TEST_F(AccessFlowTest, a_miss_tells_who_was_asked_and_what_it_cost) {
  const auto* trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto answer = ask(kQuestion, {{"traceparent", trace}});
  const auto record = log_->next();
  EXPECT_EQ(record.method, "POST");
  EXPECT_EQ(record.path, "/v1/chat/completions");
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record.outcome, LookupOutcome::kMiss);
  EXPECT_EQ(record.answer_bytes, answer.body().size());
  EXPECT_EQ(record.upstream, "default");
  EXPECT_TRUE(record.upstream_first_byte.has_value());
  EXPECT_EQ(record.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  ASSERT_TRUE(record.key.has_value());
  EXPECT_EQ(ShortHex(*record.key).view(), answer.header("x-llm-cache-key"));
}

TEST_F(AccessFlowTest, a_hit_tells_the_model_and_the_tokens_and_no_upstream) {
  (void)ask(kQuestion);
  (void)log_->next();
  EXPECT_TRUE(ask(kQuestion).is_hit());
  const auto record = log_->next();
  EXPECT_EQ(record.outcome, LookupOutcome::kL1Hit);
  EXPECT_FALSE(record.model.empty());
  EXPECT_GT(record.tokens.value_or(0), 0U);
  EXPECT_EQ(record.upstream, "");
  EXPECT_FALSE(record.upstream_first_byte.has_value());
}

TEST_F(AccessFlowTest, a_passing_request_is_told_without_its_query) {
  (void)request("GET", "/v1/models?key=s3cret");
  const auto record = log_->next();
  EXPECT_EQ(record.outcome, LookupOutcome::kBypass);
  EXPECT_EQ(record.path, "/v1/models");
  EXPECT_FALSE(record.key.has_value());
  EXPECT_EQ(record.upstream, "default");
}

TEST_F(AccessFlowTest, an_error_of_ours_is_told_with_its_status) {
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "only-if-cached"}}).status(), 504);
  const auto record = log_->next();
  EXPECT_EQ(record.status, 504);
  EXPECT_EQ(record.outcome, LookupOutcome::kMiss);
}

TEST_F(AccessFlowTest, a_client_that_leaves_before_an_answer_begins_has_no_status) {
  upstream_.answer_with(nullptr);
  auto pending = start_chat(kQuestion);
  const auto call = upstream_.next();
  pending.hang_up();
  EXPECT_EQ(log_->next().status, 0);
}

TEST_F(AccessFlowTest, nothing_of_a_credential_or_a_prompt_is_told) {
  (void)ask(R"({"model":"m-1","messages":[{"role":"user","content":"s3cret"}]})",
            {{"Authorization", "Bearer s3cret"}});
  const auto record = log_->next();
  for (const auto& text :
       {record.method, record.path, record.model, record.upstream, record.trace_id}) {
    EXPECT_EQ(text.find("s3cret"), std::string::npos);
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
