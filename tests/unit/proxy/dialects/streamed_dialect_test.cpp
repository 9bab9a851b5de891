#include "proxy/dialects/streamed_dialect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::streamed_dialect_test {
namespace {

using ::testing::HasSubstr;

// A dialect with a bug: it takes a text for an object.
class SurprisedDialect final : public StreamedDialect {
 public:
  [[nodiscard]] bool matches(std::string_view, std::string_view) const override { return true; }
  [[nodiscard]] const std::vector<std::string>& default_keyless_members() const override {
    static const std::vector<std::string> kNone;
    return kNone;
  }
  [[nodiscard]] Result<AnswerWish> wish_of(JsonView) const override { return AnswerWish(); }
  [[nodiscard]] std::string error_body(const ProxyError&) const override { return {}; }

 protected:
  [[nodiscard]] std::optional<StoreRefusal> judge(JsonView) const override { return std::nullopt; }
  [[nodiscard]] AnswerReview describe(JsonView) const override { return {}; }
  [[nodiscard]] Assembled assemble(std::string_view) const override {
    Json text = "no object";
    text["member"] = 1;
    return {.refusal = std::nullopt, .is_exact = true, .body = std::move(text)};
  }
  [[nodiscard]] std::optional<std::string> split(const Json&, AnswerWish) const override {
    Json text = "no object";
    text["member"] = 1;
    return text.dump();
  }
};

TEST(StreamedDialectTest, what_surprises_a_dialect_is_refused_and_counted_as_such) {
  const auto review = SurprisedDialect().review(AnswerForm::kStream, test::hello_stream());
  EXPECT_EQ(review.refusal, StoreRefusal::kUnforeseen);
}

TEST(StreamedDialectTest, what_surprises_a_dialect_is_not_adapted) {
  const SurprisedDialect dialect;
  const auto body = dialect.adapt(AnswerForm::kStream, test::hello_stream(), {});
  ASSERT_FALSE(body.ok());
  EXPECT_THAT(body.error().message, HasSubstr("unforeseen"));
  EXPECT_FALSE(
      dialect.adapt(AnswerForm::kJson, test::kHelloBody, {.form = AnswerForm::kStream}).ok());
}

}  // namespace
}  // namespace llm_edge_cache::proxy::streamed_dialect_test
