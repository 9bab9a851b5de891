#include "http/request_body.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace llm_edge_cache::http {
namespace {

using std::chrono::milliseconds;
using State = RequestBody::State;

class RequestBodyTest : public ::testing::Test {
 protected:
  Exchange::BodySink sink() {
    return {.on_data = [this](std::string_view bytes) { data_ += bytes; },
            .on_end = [this](const Status& status) { ends_ += status.ok() ? "ok" : "error"; }};
  }

  TimePoint now_{milliseconds(1'000)};
  RequestBody body_;
  std::string data_;
  std::string ends_;
};

TEST_F(RequestBodyTest, request_without_body_is_done) {
  body_.begin(false);
  EXPECT_TRUE(body_.is_done());
  EXPECT_FALSE(body_.wants_input());
}

TEST_F(RequestBodyTest, body_waits_until_it_is_claimed) {
  body_.begin(true);
  EXPECT_EQ(body_.state(), State::kUnclaimed);
  EXPECT_FALSE(body_.wants_input());
  body_.claim(sink(), 10, now_);
  EXPECT_TRUE(body_.wants_input());
  EXPECT_TRUE(body_.take("ab"));
  EXPECT_TRUE(body_.take("cd"));
  body_.end({});
  body_.end({});
  EXPECT_EQ(data_, "abcd");
  EXPECT_EQ(ends_, "ok");
}

TEST_F(RequestBodyTest, what_is_at_hand_is_delivered_when_it_is_claimed) {
  body_.begin(true);
  body_.have("abcd");
  EXPECT_EQ(body_.at_hand(), "abcd");
  body_.claim(sink(), 10, now_);
  EXPECT_TRUE(body_.deliver_at_hand());
  EXPECT_EQ(data_, "abcd");
  EXPECT_EQ(ends_, "ok");
  EXPECT_FALSE(body_.at_hand());
}

TEST_F(RequestBodyTest, what_was_kept_outlives_the_bytes_it_came_from) {
  std::string input = "abcd";
  body_.begin(true);
  body_.have(input);
  body_.keep();
  input = "gone";
  EXPECT_EQ(body_.at_hand(), "abcd");
  body_.claim(sink(), 10, now_);
  EXPECT_TRUE(body_.deliver_at_hand());
  EXPECT_EQ(data_, "abcd");
}

TEST_F(RequestBodyTest, what_is_at_hand_and_over_the_limit_is_not_delivered) {
  body_.begin(true);
  body_.have("abcd");
  body_.claim(sink(), 3, now_);
  EXPECT_FALSE(body_.deliver_at_hand());
  EXPECT_EQ(data_, "");
}

TEST_F(RequestBodyTest, byte_over_the_limit_is_not_delivered) {
  body_.begin(true);
  body_.claim(sink(), 3, now_);
  EXPECT_TRUE(body_.take("abc"));
  EXPECT_FALSE(body_.take("d"));
  EXPECT_EQ(data_, "abc");
}

TEST_F(RequestBodyTest, paused_body_wants_nothing) {
  body_.begin(true);
  body_.pause();
  EXPECT_EQ(body_.state(), State::kUnclaimed);
  body_.claim(sink(), 3, now_);
  body_.pause();
  EXPECT_FALSE(body_.wants_input());
  body_.resume(now_);
  EXPECT_TRUE(body_.wants_input());
}

TEST_F(RequestBodyTest, discarded_body_has_a_limit_of_its_own) {
  body_.begin(true);
  body_.discard(4, now_);
  EXPECT_TRUE(body_.take("abcd"));
  EXPECT_FALSE(body_.take("e"));
  body_.end({});
  EXPECT_EQ(data_ + ends_, "");
}

TEST_F(RequestBodyTest, forgotten_sink_hears_nothing) {
  body_.begin(true);
  body_.claim(sink(), 10, now_);
  body_.forget();
  body_.end(Error{ErrorCode::kIo, "late"});
  EXPECT_EQ(ends_, "");
}

TEST_F(RequestBodyTest, sink_may_drop_itself) {
  body_.begin(true);
  Exchange::BodySink dropping;
  const auto alive = std::make_shared<int>(1);
  dropping.on_data = [this, alive](std::string_view) {
    body_.forget();
    EXPECT_EQ(*alive, 1);
  };
  body_.claim(std::move(dropping), 10, now_);
  EXPECT_TRUE(body_.take("x"));
  EXPECT_EQ(alive.use_count(), 1);
}

// Keeps a copy, and where the bytes were.
class KeepingReceiver final : public BodyReceiver {
 public:
  void on_body(Result<std::string_view> body) override {
    ++calls;
    if (!body.ok()) {
      error = body.error().code;
      return;
    }
    at = body->data();
    bytes = *body;
  }

  int calls = 0;
  const char* at = nullptr;
  std::string bytes;
  ErrorCode error = {};
};

TEST_F(RequestBodyTest, a_receiver_gets_what_comes_at_once_without_a_copy) {
  const auto receiver = std::make_shared<KeepingReceiver>();
  const std::string_view bytes = "whole";
  body_.begin(true);
  body_.claim(receiver, 5, now_);
  EXPECT_TRUE(body_.take_last(bytes));
  EXPECT_EQ(receiver->at, bytes.data());
  EXPECT_EQ(receiver->bytes, "whole");
  EXPECT_TRUE(body_.is_done());
  EXPECT_EQ(receiver.use_count(), 1);
}

TEST_F(RequestBodyTest, a_receiver_gets_pieces_as_one) {
  const auto receiver = std::make_shared<KeepingReceiver>();
  body_.begin(true);
  body_.claim(receiver, 6, now_);
  EXPECT_TRUE(body_.take("ab"));
  EXPECT_TRUE(body_.take("cd"));
  EXPECT_EQ(receiver->calls, 0);
  EXPECT_TRUE(body_.take_last("ef"));
  EXPECT_EQ(receiver->bytes, "abcdef");
  EXPECT_EQ(receiver->calls, 1);
}

TEST_F(RequestBodyTest, a_receiver_hears_of_an_end_without_last_bytes) {
  const auto receiver = std::make_shared<KeepingReceiver>();
  body_.begin(true);
  body_.claim(receiver, 6, now_);
  EXPECT_TRUE(body_.take("ab"));
  body_.end({});
  body_.end({});
  EXPECT_EQ(receiver->bytes, "ab");
  EXPECT_EQ(receiver->calls, 1);
}

TEST_F(RequestBodyTest, a_receiver_hears_of_the_error_and_of_no_bytes) {
  const auto receiver = std::make_shared<KeepingReceiver>();
  body_.begin(true);
  body_.claim(receiver, 2, now_);
  EXPECT_TRUE(body_.take("ab"));
  EXPECT_FALSE(body_.take_last("c"));
  EXPECT_EQ(receiver->calls, 0);
  body_.end(Error{ErrorCode::kTooLarge, ""});
  EXPECT_EQ(receiver->error, ErrorCode::kTooLarge);
  EXPECT_EQ(receiver->bytes, "");
}

TEST_F(RequestBodyTest, a_body_that_is_forgotten_leaves_nothing_to_the_next) {
  const auto receiver = std::make_shared<KeepingReceiver>();
  body_.begin(true);
  body_.claim(receiver, 9, now_);
  EXPECT_TRUE(body_.take("old"));
  body_.forget();
  EXPECT_EQ(receiver.use_count(), 1);
  body_.begin(true);
  body_.claim(receiver, 9, now_);
  EXPECT_TRUE(body_.take("new"));
  body_.end({});
  EXPECT_EQ(receiver->bytes, "new");
}

TEST_F(RequestBodyTest, the_last_bytes_end_a_sink_too) {
  body_.begin(true);
  body_.claim(sink(), 4, now_);
  EXPECT_TRUE(body_.take("ab"));
  EXPECT_TRUE(body_.take_last("cd"));
  EXPECT_EQ(data_, "abcd");
  EXPECT_EQ(ends_, "ok");
}

TEST_F(RequestBodyTest, time_is_earned_by_bytes) {
  const RequestBody::Pace pace{.grace = milliseconds(100), .min_bytes_per_second = 1'000};
  body_.begin(true);
  body_.claim(sink(), 10'000, now_);
  EXPECT_EQ(body_.time_left(now_, pace), milliseconds(100));
  EXPECT_TRUE(body_.take(std::string(500, 'x')));
  EXPECT_EQ(body_.time_left(now_ + milliseconds(50), pace), milliseconds(550));
  EXPECT_LT(body_.time_left(now_ + milliseconds(601), pace), milliseconds(0));
  body_.pause();
  body_.resume(now_ + milliseconds(5'000));
  EXPECT_EQ(body_.time_left(now_ + milliseconds(5'000), pace), milliseconds(100));
}

}  // namespace
}  // namespace llm_edge_cache::http
