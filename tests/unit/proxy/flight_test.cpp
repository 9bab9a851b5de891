#include "proxy/flight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::size_t kEverything = 1U << 30U;

// Reads when it is told to, and counts how often it was called.
class TestListener : public FlightListener {
 public:
  void on_progress() override {
    ++calls;
    if (on_call) on_call();
  }

  int calls = 0;
  std::function<void()> on_call;
};

class TestSource : public FlightSource {
 public:
  void resume() override { ++resumed; }
  void abandon() override { ++abandoned; }
  void give_way() override { ++gave_way; }

  int resumed = 0;
  int abandoned = 0;
  int gave_way = 0;
};

std::string text_of(const Flight::Progress& progress) {
  std::string text;
  for (const auto& piece : progress.pieces) text += piece.view();
  return text;
}

// Each test runs on the one I/O thread; what a flight posts to it has run after settle().
class FlightTest : public ::testing::Test {
 protected:
  void on_thread(const std::function<void()>& task) {
    threads_.run_on_each([&task](http::IoThread&) { task(); });
  }
  void settle() {
    on_thread([] {});
    on_thread([] {});
  }

  std::shared_ptr<Flight> make_flight(FlightOptions options = {}) {
    auto flight = std::make_shared<Flight>(options);
    flight->set_source(source_, thread_);
    return flight;
  }
  Flight::Ticket join(Flight& flight, const std::shared_ptr<TestListener>& listener) {
    const auto ticket = flight.join(listener, thread_);
    EXPECT_TRUE(ticket);
    return *ticket;
  }

  static Flight::Pace bring(Flight& flight, std::string_view bytes) {
    flight.append(bytes);
    return flight.tell();
  }

  http::IoThreads threads_{{.threads = 1}};
  http::IoThread& thread_ = threads_.at(0);
  std::shared_ptr<TestSource> source_ = std::make_shared<TestSource>();
  std::shared_ptr<TestListener> fast_ = std::make_shared<TestListener>();
  std::shared_ptr<TestListener> slow_ = std::make_shared<TestListener>();
};

TEST_F(FlightTest, a_late_listener_gets_what_came_before_and_then_follows) {
  on_thread([&] {
    const auto flight = make_flight();
    flight->begin({});
    EXPECT_EQ(bring(*flight, "one"), Flight::Pace::kGoOn);
    const auto ticket = join(*flight, fast_);
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "one");
    EXPECT_EQ(bring(*flight, "two"), Flight::Pace::kGoOn);
    EXPECT_EQ(fast_->calls, 1);
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "two");
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, nobody_joins_after_a_removal_and_who_is_here_gets_the_rest) {
  const auto removals = std::make_shared<RemovalWatches>();
  const auto flight = make_flight();
  flight->set_watches({removals->watch(KeyDigest{}), removals->watch(KeyDigest{{1}})});
  on_thread([&] {
    const auto ticket = join(*flight, fast_);
    removals->note(KeyDigest{{1}});
    EXPECT_FALSE(flight->join(slow_, thread_));
    (void)bring(*flight, "rest");
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "rest");
    flight->leave(ticket);
  });
  settle();
  EXPECT_EQ(source_->gave_way, 1);
}

TEST_F(FlightTest, who_is_to_ask_boards_after_a_removal_and_feeds_those_who_are_here) {
  const auto removals = std::make_shared<RemovalWatches>();
  const auto flight = make_flight();
  on_thread([&] {
    const auto early = join(*flight, fast_);  // before the leader, which has no watch yet
    flight->set_watches({removals->watch(KeyDigest{})});
    removals->note(KeyDigest{});
    const auto leading = flight->lead(slow_, thread_);
    ASSERT_TRUE(leading);
    (void)bring(*flight, "all");
    EXPECT_EQ(text_of(flight->read(early, kEverything)), "all");
    EXPECT_EQ(text_of(flight->read(*leading, kEverything)), "all");
    flight->leave(early);
    flight->leave(*leading);
  });
}

TEST_F(FlightTest, a_listener_is_called_once_until_it_reads) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto ticket = join(*flight, slow_);
    flight->begin({});
    (void)bring(*flight, "a");
    (void)bring(*flight, "b");
    EXPECT_EQ(slow_->calls, 1);
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "ab");
    (void)bring(*flight, "c");
    EXPECT_EQ(slow_->calls, 2);
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, what_comes_at_once_is_told_at_once) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto ticket = join(*flight, fast_);
    flight->begin({});
    flight->append("a");
    flight->append("b");
    EXPECT_EQ(fast_->calls, 0);
    EXPECT_EQ(flight->tell(), Flight::Pace::kGoOn);
    EXPECT_EQ(fast_->calls, 1);
    const auto progress = flight->read(ticket, kEverything);
    EXPECT_NE(progress.head, nullptr);
    EXPECT_EQ(text_of(progress), "ab");
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, reading_stops_at_its_bound_and_goes_on_from_there) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto ticket = join(*flight, fast_);
    for (const auto* piece : {"aaaa", "bbbb", "cccc"}) (void)bring(*flight, piece);
    flight->end({});
    const auto first = flight->read(ticket, 5);
    EXPECT_EQ(text_of(first), "aaaabbbb");
    EXPECT_EQ(first.ending, nullptr);
    const auto second = flight->read(ticket, 5);
    EXPECT_EQ(text_of(second), "cccc");
    EXPECT_NE(second.ending, nullptr);
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, what_is_recorded_can_be_had_after_the_end) {
  on_thread([&] {
    const auto flight = make_flight();
    (void)bring(*flight, "one");
    (void)bring(*flight, "two");
    EXPECT_EQ(flight->recorded(), "onetwo");
    flight->end({});
    const auto ticket = join(*flight, fast_);
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "onetwo");
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, a_failure_reaches_all_alike) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto one = join(*flight, fast_);
    const auto two = join(*flight, slow_);
    flight->end({.kind = FlightEnding::Kind::kFailed, .error = {502, "upstream_closed", "x"}});
    for (const auto ticket : {one, two}) {
      const auto ending = flight->read(ticket, kEverything).ending;
      ASSERT_NE(ending, nullptr);
      EXPECT_EQ(ending->kind, FlightEnding::Kind::kFailed);
      EXPECT_EQ(ending->error.code, "upstream_closed");
      flight->leave(ticket);
    }
  });
}

TEST_F(FlightTest, a_recorded_flight_goes_on_without_listeners) {
  on_thread([&] {
    const auto flight = make_flight();
    flight->leave(join(*flight, fast_));
    EXPECT_EQ(bring(*flight, "one"), Flight::Pace::kGoOn);
  });
  settle();
  EXPECT_EQ(source_->abandoned, 0);
}

TEST_F(FlightTest, a_flight_that_is_not_recorded_is_given_up_with_its_last_listener) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 0});
    const auto one = join(*flight, fast_);
    const auto two = join(*flight, slow_);
    flight->leave(one);
    EXPECT_EQ(bring(*flight, "one"), Flight::Pace::kGoOn);
    flight->leave(two);
    EXPECT_EQ(bring(*flight, "two"), Flight::Pace::kAbandon);
  });
  settle();
  EXPECT_EQ(source_->abandoned, 1);
}

TEST_F(FlightTest, one_that_stops_recording_without_listeners_is_given_up) {
  on_thread([&] {
    const auto flight = make_flight();
    EXPECT_EQ(flight->stop_recording(), Flight::Pace::kAbandon);
  });
}

TEST_F(FlightTest, an_answer_that_outgrows_its_bound_reaches_who_is_there_whole) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 8});
    const auto ticket = join(*flight, fast_);
    std::string got;
    fast_->on_call = [&] { got += text_of(flight->read(ticket, kEverything)); };
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kGoOn);
    flight->end({});
    std::string expected;
    for (int i = 0; i < 10; ++i) expected += "12345";
    EXPECT_EQ(got, expected);
    EXPECT_FALSE(flight->is_recording());
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, one_that_outgrew_its_bound_takes_nobody_more) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 8});
    const auto ticket = join(*flight, fast_);
    fast_->on_call = [&] { (void)flight->read(ticket, kEverything); };
    (void)bring(*flight, "12345");
    (void)bring(*flight, "67890");
    EXPECT_FALSE(flight->join(slow_, thread_));
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, a_lone_slow_listener_pauses_the_source_and_is_not_cut_off) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 0, .max_lag_bytes = 10});
    const auto ticket = join(*flight, slow_);
    EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kGoOn);
    EXPECT_EQ(bring(*flight, "1234567"), Flight::Pace::kPause);
    const auto progress = flight->read(ticket, kEverything);
    EXPECT_FALSE(progress.is_cut_off);
    EXPECT_EQ(text_of(progress), "123451234567");
    flight->leave(ticket);
  });
  settle();
  EXPECT_EQ(source_->resumed, 1);
}

TEST_F(FlightTest, a_listener_whose_socket_is_full_does_not_pause_a_faster_one) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 20, .max_lag_bytes = 10});
    const auto quick = join(*flight, fast_);
    const auto slow = join(*flight, slow_);
    fast_->on_call = [&] { (void)flight->read(quick, kEverything); };
    flight->wait_for_socket(slow);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kGoOn);
    EXPECT_TRUE(flight->read(slow, kEverything).is_cut_off);
    flight->leave(slow);
    flight->leave(quick);
  });
}

TEST_F(FlightTest, a_listener_that_has_not_come_to_read_yet_is_waited_for_and_loses_nothing) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 20, .max_lag_bytes = 10});
    const auto quick = join(*flight, fast_);
    const auto late = join(*flight, slow_);
    fast_->on_call = [&] { (void)flight->read(quick, kEverything); };
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kGoOn);
    EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kPause);
    const auto progress = flight->read(late, kEverything);
    EXPECT_FALSE(progress.is_cut_off);
    EXPECT_EQ(text_of(progress).size(), 25U);
    flight->leave(late);
    flight->leave(quick);
  });
  settle();
  EXPECT_EQ(source_->resumed, 1);
}

TEST_F(FlightTest, a_listener_that_turns_out_to_wait_for_its_socket_ends_the_pause) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 0, .max_lag_bytes = 10});
    const auto quick = join(*flight, fast_);
    const auto slow = join(*flight, slow_);
    fast_->on_call = [&] { (void)flight->read(quick, kEverything); };
    EXPECT_EQ(bring(*flight, "1234567890x"), Flight::Pace::kPause);
    flight->wait_for_socket(slow);
    flight->leave(slow);
    flight->leave(quick);
  });
  settle();
  EXPECT_EQ(source_->resumed, 1);
}

TEST_F(FlightTest, within_the_bound_a_slow_listener_loses_nothing) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 100, .max_lag_bytes = 10});
    const auto quick = join(*flight, fast_);
    const auto slow = join(*flight, slow_);
    fast_->on_call = [&] { (void)flight->read(quick, kEverything); };
    for (int i = 0; i < 20; ++i) EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kGoOn);
    const auto progress = flight->read(slow, kEverything);
    EXPECT_FALSE(progress.is_cut_off);
    EXPECT_EQ(text_of(progress).size(), 100U);
    flight->leave(slow);
    flight->leave(quick);
  });
}

TEST_F(FlightTest, a_paused_source_whose_last_listener_leaves_is_given_up_not_resumed) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 0, .max_lag_bytes = 4});
    const auto ticket = join(*flight, slow_);
    EXPECT_EQ(bring(*flight, "12345"), Flight::Pace::kPause);
    flight->leave(ticket);
  });
  settle();
  EXPECT_EQ(source_->resumed, 0);
  EXPECT_EQ(source_->abandoned, 1);
}

// What was on its way when the source was paused comes all the same, and must not look like its
// end.
TEST_F(FlightTest, a_pause_lasts_until_the_source_is_told_of_its_end) {
  on_thread([&] {
    const auto flight = make_flight({.max_recorded_bytes = 0, .max_lag_bytes = 10});
    const auto ticket = join(*flight, slow_);
    (void)bring(*flight, "1234");
    (void)bring(*flight, "1234");
    EXPECT_EQ(bring(*flight, "1234"), Flight::Pace::kPause);
    EXPECT_EQ(text_of(flight->read(ticket, 1)), "1234");
    flight->wait_for_socket(ticket);
    EXPECT_EQ(flight->tell(), Flight::Pace::kPause) << "eight bytes ahead, and not resumed";
    EXPECT_EQ(source_->resumed, 0);
    EXPECT_EQ(text_of(flight->read(ticket, kEverything)), "12341234");
    flight->leave(ticket);
  });
  settle();
  EXPECT_EQ(source_->resumed, 1);
}

TEST_F(FlightTest, what_came_with_one_read_is_one_piece) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto ticket = join(*flight, fast_);
    flight->append("one ");
    flight->append("two ");
    EXPECT_EQ(flight->recorded(), "one two ");
    EXPECT_TRUE(flight->read(ticket, kEverything).pieces.empty()) << "it is not told yet";
    (void)bring(*flight, "three");
    flight->append(" four");
    flight->end({});
    const auto progress = flight->read(ticket, kEverything);
    EXPECT_EQ(progress.pieces.size(), 2U);
    EXPECT_EQ(text_of(progress), "one two three four");
    EXPECT_NE(progress.ending, nullptr);
    EXPECT_EQ(flight->recorded(), "one two three four");
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, an_answer_in_pieces_that_take_more_than_it_does_is_not_recorded_to_its_end) {
  on_thread([&] {
    constexpr std::size_t kBound = 1U << 20U;
    const auto flight = make_flight({.max_recorded_bytes = kBound});
    const auto ticket = join(*flight, fast_);
    fast_->on_call = [&] { (void)flight->read(ticket, kEverything); };
    std::size_t pieces = 0;
    for (; flight->is_recording() && pieces < kBound; ++pieces) (void)bring(*flight, "x");
    EXPECT_GT(pieces, 1'024U);
    EXPECT_LE(pieces, kBound / 64 + 2);
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, an_answer_that_is_all_there_is_read_in_parts) {
  on_thread([&] {
    const auto flight = make_flight();
    const auto ticket = join(*flight, fast_);
    const std::string answer = std::string(100'000, 'a') + std::string(100'000, 'b');
    flight->append("head:");
    flight->append(http::SharedBytes(answer));
    flight->end({});
    std::string got;
    for (bool has_ended = false; !has_ended;) {
      const auto progress = flight->read(ticket, 1);
      EXPECT_LE(text_of(progress).size(), 64U * 1024);
      got += text_of(progress);
      has_ended = progress.ending != nullptr;
    }
    EXPECT_TRUE(got == "head:" + answer);
    EXPECT_TRUE(flight->recorded() == "head:" + answer);
    flight->leave(ticket);
  });
}

TEST_F(FlightTest, listeners_of_other_threads_are_called_on_their_own) {
  http::IoThreads others{{.threads = 1}};
  http::IoThread* called_on = nullptr;
  slow_->on_call = [&] { called_on = http::IoThread::current(); };
  const auto flight = make_flight();
  const auto ticket = flight->join(slow_, others.at(0));
  ASSERT_TRUE(ticket);
  on_thread([&] { (void)bring(*flight, "x"); });
  others.run_on_each([](http::IoThread&) {});
  EXPECT_EQ(called_on, &others.at(0));
  EXPECT_EQ(text_of(flight->read(*ticket, kEverything)), "x");
  flight->leave(*ticket);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
