#include "observability/access_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::observability {
namespace {

using ::testing::HasSubstr;

proxy::AccessRecord some_record() {
  proxy::AccessRecord record;
  record.time_ms = 1'769'860'800'123;
  record.method = "POST";
  record.path = "/v1/chat/completions";
  record.status = 200;
  record.answer_bytes = 512;
  record.total = std::chrono::microseconds(812'400);
  return record;
}

TEST(AccessLineTest, says_what_is_known_and_leaves_out_the_rest) {
  EXPECT_EQ(access_line(some_record()),
            R"({"time":"2026-01-31T12:00:00.123Z","method":"POST",)"
            R"("path":"/v1/chat/completions","status":200,"bytes":512,"total_ms":812.400})");
}

TEST(AccessLineTest, says_everything_of_a_miss) {
  auto record = some_record();
  record.outcome = LookupOutcome::kMiss;
  record.key = KeyDigest{};
  record.model = "m-1";
  record.tokens = 9;
  record.upstream = "chat";
  record.upstream_first_byte = std::chrono::microseconds(790'100);
  record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto json = nlohmann::json::parse(access_line(record));
  EXPECT_EQ(json["outcome"], "miss");
  EXPECT_FALSE(json.contains("tier"));
  EXPECT_EQ(json["key"], "0000000000000000");
  EXPECT_EQ(json["model"], "m-1");
  EXPECT_EQ(json["tokens"], 9);
  EXPECT_EQ(json["upstream"], "chat");
  EXPECT_EQ(json["upstream_first_byte_ms"], 790.1);
  EXPECT_EQ(json["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(AccessLineTest, a_hit_says_which_tier_had_it) {
  auto record = some_record();
  for (const auto& [outcome, tier] :
       {std::pair(LookupOutcome::kL1Hit, "l1"), std::pair(LookupOutcome::kL2Hit, "l2"),
        std::pair(LookupOutcome::kL3Hit, "l3")}) {
    record.outcome = outcome;
    EXPECT_EQ(nlohmann::json::parse(access_line(record))["tier"], tier);
  }
}

TEST(AccessLineTest, what_is_no_hit_has_no_tier) {
  auto record = some_record();
  for (const auto outcome : {LookupOutcome::kCoalesced, LookupOutcome::kStale, LookupOutcome::kMiss,
                             LookupOutcome::kBypass}) {
    record.outcome = outcome;
    const auto json = nlohmann::json::parse(access_line(record));
    EXPECT_EQ(json["outcome"], to_string(outcome));
    EXPECT_FALSE(json.contains("tier"));
  }
}

TEST(AccessLineTest, times_are_utc_with_milliseconds_whatever_they_are) {
  auto record = some_record();
  const auto time_of = [&](UnixMillis time_ms) {
    record.time_ms = time_ms;
    return nlohmann::json::parse(access_line(record))["time"].get<std::string>();
  };
  EXPECT_EQ(time_of(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_of(1), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(time_of(1'709'164'799'999), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(time_of(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
}

TEST(AccessLineTest, a_client_that_left_and_one_that_got_nothing_are_zeros_and_not_left_out) {
  auto record = some_record();
  record.status = 0;
  record.answer_bytes = 0;
  record.tokens = 0;
  const auto json = nlohmann::json::parse(access_line(record));
  EXPECT_EQ(json["status"], 0);
  EXPECT_EQ(json["bytes"], 0);
  EXPECT_EQ(json["tokens"], 0);
}

TEST(AccessLineTest, nothing_that_a_client_sends_ends_the_line) {
  auto record = some_record();
  record.path = "/a\"\n\\b";
  record.model = "x\",\"status\":500,\"y\":\"";
  const auto line = access_line(record);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["path"], record.path);
  EXPECT_EQ(json["status"], 200);
}

class AccessLogTest : public ::testing::Test {
 protected:
  ~AccessLogTest() override { std::filesystem::remove(file_); }

  [[nodiscard]] std::size_t lines() const { return lines_of(file_); }
  static std::size_t lines_of(const std::string& name) {
    std::ifstream file(name);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) {
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
      ++count;
    }
    return count;
  }

  const std::string file_ =
      ::testing::TempDir() + "access_log_test." + std::to_string(::getpid()) + ".jsonl";
};

TEST_F(AccessLogTest, writes_what_waits_before_it_ends_and_appends_the_next_time) {
  for (int run = 1; run <= 2; ++run) {
    {
      AccessLog log(file_);
      for (int i = 0; i < 100; ++i) log.write(some_record());
      EXPECT_EQ(log.dropped(), 0U);
    }
    EXPECT_EQ(lines(), 100U * static_cast<unsigned>(run));
  }
}

TEST_F(AccessLogTest, a_line_is_written_or_counted_as_dropped) {
  std::uint64_t dropped = 0;
  constexpr std::size_t kWritten = 4 * AccessLog::kMaxWaitingLines;
  {
    AccessLog log(file_);
    for (std::size_t i = 0; i < kWritten; ++i) log.write(some_record());
    // What is dropped is dropped while writing: nothing pushes out what waits now.
    dropped = log.dropped();
  }
  EXPECT_EQ(lines() + dropped, kWritten);
}

TEST_F(AccessLogTest, no_line_is_lost_or_torn_while_its_file_is_moved_away) {
  constexpr std::size_t kMoves = 50;
  const auto moved = [&](std::size_t move) { return file_ + "." + std::to_string(move); };
  std::size_t written = 0;
  std::uint64_t dropped = 0;
  {
    AccessLog log(file_);
    std::atomic<bool> is_over = false;
    std::thread writer([&] {
      for (; !is_over; ++written) log.write(some_record());
    });
    for (std::size_t move = 0; move < kMoves; ++move) {
      std::filesystem::rename(file_, moved(move));
      EXPECT_TRUE(log.reopen().ok());
    }
    is_over = true;
    writer.join();
    dropped = log.dropped();
  }
  auto found = lines();
  for (std::size_t move = 0; move < kMoves; ++move) {
    found += lines_of(moved(move));
    std::filesystem::remove(moved(move));
  }
  EXPECT_EQ(found + dropped, written);
}

TEST_F(AccessLogTest, a_file_that_cannot_be_opened_anew_leaves_the_former_one) {
  const auto former = file_ + ".former";
  {
    AccessLog log(file_);
    log.write(some_record());
    std::filesystem::rename(file_, former);
    std::filesystem::create_directory(file_);
    const auto status = log.reopen();
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message, HasSubstr("cannot open " + file_ + ": "));
    log.write(some_record());
  }
  EXPECT_EQ(lines_of(former), 2U);
  std::filesystem::remove(former);
}

TEST_F(AccessLogTest, a_line_that_the_file_does_not_take_counts_as_dropped) {
  AccessLog log("/dev/full");
  log.write(some_record());
  EXPECT_TRUE(test::eventually([&] { return log.dropped() == 1; }));
}

TEST_F(AccessLogTest, there_is_nothing_to_open_anew_of_standard_output) {
  AccessLog log("-");
  EXPECT_FALSE(log.has_file());
  EXPECT_TRUE(log.reopen().ok());
}

TEST_F(AccessLogTest, a_file_that_cannot_be_opened_is_an_error_that_names_the_option) {
  try {
    const AccessLog log("/proc/no/such/file");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--access-log"));
  }
}

}  // namespace
}  // namespace llm_edge_cache::observability
