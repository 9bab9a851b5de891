#include "http/socket_events.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace llm_edge_cache::http {
namespace {

// One end is watched, the other is the test's.
class Watched final : public SocketWatcher {
 public:
  explicit Watched(SocketEvents& events) : events_(events) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    EXPECT_TRUE(events_.add(ends_[0], *this));
  }
  ~Watched() {
    events_.remove(*this);
    ::close(ends_[0]);
    end();
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

  int calls = 0;
  SocketReadiness last;
  std::function<void()> act;

 private:
  void on_ready(SocketReadiness ready) override {
    ++calls;
    last = ready;
    if (act) act();
  }

  SocketEvents& events_;
  std::array<int, 2> ends_{-1, -1};
};

TEST(SocketEventsTest, a_new_socket_can_be_written) {
  SocketEvents events;
  const Watched socket(events);
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_TRUE(socket.last.writable);
  EXPECT_FALSE(socket.last.readable);
  EXPECT_FALSE(socket.last.is_last);
}

TEST(SocketEventsTest, has_a_time_while_it_tells_and_none_beside) {
  SocketEvents events;
  Watched socket(events);
  const auto before = std::chrono::steady_clock::now();
  std::optional<TimePoint> told_at;
  socket.act = [&] { told_at = events.batch_time(); };
  EXPECT_EQ(events.dispatch(), 1U);
  ASSERT_TRUE(told_at);
  EXPECT_GE(*told_at, before);
  EXPECT_FALSE(events.batch_time());
  EXPECT_EQ(events.dispatch(), 0U);
  EXPECT_FALSE(events.batch_time());
}

TEST(SocketEventsTest, what_was_there_before_the_watch_is_told) {
  SocketEvents events;
  const Watched socket(events);
  socket.send("early");
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_TRUE(socket.last.readable);
}

TEST(SocketEventsTest, what_came_is_told_once_read_or_not) {
  SocketEvents events;
  const Watched socket(events);
  socket.send("one");
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_EQ(events.dispatch(), 0U);
  socket.send("two");
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_EQ(socket.calls, 2);
}

bool is_readable(int descriptor) {
  pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;
}

TEST(SocketEventsTest, whoever_waits_elsewhere_sees_that_there_is_something_to_tell) {
  SocketEvents events;
  const Watched socket(events);
  static_cast<void>(events.dispatch());
  EXPECT_FALSE(is_readable(events.native_handle()));
  EXPECT_EQ(events.dispatch(), 0U);
  socket.send("one");
  EXPECT_TRUE(is_readable(events.native_handle()));
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_FALSE(is_readable(events.native_handle()));
}

TEST(SocketEventsTest, an_end_is_told_as_the_last_event) {
  SocketEvents events;
  Watched socket(events);
  socket.send("last");
  socket.end();
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_TRUE(socket.last.readable);
  EXPECT_TRUE(socket.last.is_last);
}

TEST(SocketEventsTest, every_socket_of_a_batch_is_told) {
  SocketEvents events;
  const Watched a(events);
  const Watched b(events);
  EXPECT_EQ(events.dispatch(), 2U);
  EXPECT_EQ(a.calls + b.calls, 2);
}

TEST(SocketEventsTest, who_is_removed_within_a_batch_hears_nothing_more) {
  SocketEvents events;
  Watched a(events);
  Watched b(events);
  a.act = [&] { events.remove(b); };
  b.act = [&] { events.remove(a); };
  EXPECT_EQ(events.dispatch(), 1U);
}

TEST(SocketEventsTest, a_call_comes_in_the_next_dispatch) {
  SocketEvents events;
  Watched socket(events);
  static_cast<void>(events.dispatch());
  events.call_soon(socket);
  EXPECT_TRUE(events.has_calls());
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_FALSE(socket.last.readable);
  EXPECT_FALSE(events.has_calls());
}

TEST(SocketEventsTest, a_call_asked_for_within_a_call_waits_for_the_next_dispatch) {
  SocketEvents events;
  Watched socket(events);
  static_cast<void>(events.dispatch());
  socket.act = [&] { events.call_soon(socket); };
  events.call_soon(socket);
  EXPECT_EQ(events.dispatch(), 1U);
  EXPECT_EQ(events.dispatch(), 1U);
}

TEST(SocketEventsTest, a_call_of_who_was_removed_is_forgotten) {
  SocketEvents events;
  Watched a(events);
  Watched b(events);
  static_cast<void>(events.dispatch());
  events.call_soon(a);
  events.call_soon(b);
  a.act = [&] { events.remove(b); };
  EXPECT_EQ(events.dispatch(), 1U);
  events.call_soon(a);
  events.remove(a);
  EXPECT_EQ(events.dispatch(), 0U);
}

TEST(SocketEventsTest, a_closed_socket_cannot_be_watched) {
  SocketEvents events;
  Watched socket(events);
  EXPECT_FALSE(events.add(-1, socket));
}

}  // namespace
}  // namespace llm_edge_cache::http
