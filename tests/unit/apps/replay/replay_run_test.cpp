#include "replay/replay_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "mock_provider/mock_provider.hpp"

namespace llm_edge_cache::app {
namespace {

// Says another thing every time.
class FickleHandler final : public http::Handler {
 public:
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    http::ResponseHead head;
    head.headers.add("Cache-Status", "llm-edge-cache; hit; detail=l2");
    exchange->respond(std::move(head), http::SharedBytes("{\"usage\":{\"total_tokens\":10},\"n\":" +
                                                         std::to_string(answers_++) + "}"));
  }

 private:
  std::atomic<int> answers_ = 0;
};

class ReplayRunTest : public ::testing::Test {
 protected:
  ReplayRunTest() {
    http::ServerOptions options;
    options.listen = "127.0.0.1:0";
    fickle_ = std::make_unique<http::Server>(threads_, options, std::make_shared<FickleHandler>());
    replay_.target = "http://127.0.0.1:" + std::to_string(fickle_->port());
  }

  const PromptStream prompts_{.distinct = {"a", "b"}, .order = {0, 1, 0, 0}};
  http::IoThreads threads_{{.threads = 1}};
  std::unique_ptr<http::Server> fickle_;
  ReplayOptions replay_;
};

TEST_F(ReplayRunTest, counts_outcomes_and_tokens_saved) {
  const auto result = replay(prompts_, replay_, nullptr);
  EXPECT_EQ(result.stats.count(LookupOutcome::kL2Hit), 4U);
  EXPECT_EQ(result.stats.tokens_saved(), 40U);
  EXPECT_EQ(result.stats.errors(), 0U);
}

TEST_F(ReplayRunTest, sees_every_answer_that_differs_from_the_first) {
  replay_.verify = true;
  EXPECT_EQ(replay(prompts_, replay_, nullptr).stats.mismatches(), 2U);
}

TEST_F(ReplayRunTest, sees_answers_that_are_not_the_providers) {
  MockProviderOptions options;
  options.listen = "127.0.0.1:0";
  const MockProvider provider(threads_, options);
  const auto provider_url = "http://127.0.0.1:" + std::to_string(provider.port());
  replay_.verify = true;
  const auto fickle = replay(prompts_, replay_, nullptr);
  EXPECT_EQ(compare_with_provider(prompts_, replay_, provider_url, fickle), 2U);
  replay_.target = provider_url;
  const auto honest = replay(prompts_, replay_, nullptr);
  EXPECT_EQ(compare_with_provider(prompts_, replay_, provider_url, honest), 0U);
}

TEST_F(ReplayRunTest, more_workers_than_prompts_do_no_harm) {
  replay_.concurrency = 64;
  replay_.repeat = 3;
  EXPECT_EQ(replay(prompts_, replay_, nullptr).stats.requests(), 12U);
}

TEST_F(ReplayRunTest, a_target_that_is_not_there_is_errors) {
  const auto port = fickle_->port();
  fickle_->stop();
  fickle_.reset();
  replay_.target = "http://127.0.0.1:" + std::to_string(port);
  const auto result = replay(prompts_, replay_, nullptr);
  EXPECT_EQ(result.stats.errors(), 4U);
  EXPECT_EQ(result.stats.errors_by_kind().at("connect"), 4U);
}

TEST(ReplayOptionsTest, what_makes_no_sense_is_refused_by_name) {
  ReplayOptions options;
  options.target = "nowhere";
  EXPECT_THAT(options.validate().error().message, ::testing::HasSubstr("--target"));
  options.target = "http://127.0.0.1:1";
  options.concurrency = 0;
  EXPECT_THAT(options.validate().error().message, ::testing::HasSubstr("--concurrency"));
  options.concurrency = 1;
  EXPECT_TRUE(options.validate().ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
