#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <system_error>

#include "tests/support/child_process.hpp"
#include "tests/support/client_hello.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

ChildOptions shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}};
}

TEST(ChildProcessTest, gives_both_outputs_and_the_exit_status) {
  ChildProcess child(shell("echo out; echo err >&2; exit 3"));
  EXPECT_THAT(child.wait(), Optional(3));
  EXPECT_EQ(child.output(), "out\n");
  EXPECT_EQ(child.error_output(), "err\n");
  EXPECT_FALSE(child.running());
}

TEST(ChildProcessTest, passes_environment_directory_and_input) {
  const TempDir directory;
  ChildProcess child({.argv = {"sh", "-c", "echo $LEC_A; pwd; cat"},
                      .env = {{"LEC_A", "b c"}},
                      .directory = directory.path().string(),
                      .input = "typed"});
  EXPECT_THAT(child.wait(), Optional(0));
  EXPECT_EQ(child.output(), "b c\n" + directory.path().string() + "\ntyped");
}

TEST(ChildProcessTest, finds_a_line_while_the_child_runs) {
  ChildProcess child(shell("echo first; echo port=81 ready; read never"));
  EXPECT_THAT(child.wait_for_line("port="), Optional(std::string("port=81 ready")));
}

TEST(ChildProcessTest, gives_no_line_once_the_child_ended_without_it) {
  ChildProcess child(shell("echo something else"));
  EXPECT_EQ(child.wait_for_line("port="), std::nullopt);
}

TEST(ChildProcessTest, tells_the_signal_that_ended_the_child) {
  ChildProcess child(shell("echo up; exec sleep 100"));
  ASSERT_TRUE(child.wait_for_line("up"));
  EXPECT_EQ(child.wait(std::chrono::milliseconds{1}), std::nullopt);
  child.signal(SIGTERM);
  EXPECT_THAT(child.wait(), Optional(128 + SIGTERM));
}

TEST(ChildProcessTest, kills_the_child_on_destruction) {
  pid_t pid = 0;
  {
    ChildProcess child(shell("exec sleep 100"));
    pid = child.pid();
    EXPECT_TRUE(child.running());
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ChildProcessTest, throws_where_the_program_does_not_exist) {
  EXPECT_THROW(ChildProcess({.argv = {"/nowhere/at/all"}}), std::system_error);
}

TEST(TempDirTest, is_removed_with_its_content) {
  std::filesystem::path path;
  {
    const TempDir directory;
    path = directory.path();
    std::filesystem::create_directories(path / "a" / "b");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(RedisServerTest, answers_over_tcp_with_a_password) {
  RedisServer server({.password = "s3cret"});
  EXPECT_EQ(server.command({"SET", "k", "v"}), "OK");
  EXPECT_EQ(server.command({"GET", "k"}), "v");
  EXPECT_EQ(server.command({"GET", "absent"}), "(nil)");
  EXPECT_THAT(server.command({"INCR", "k"}), HasSubstr("-ERR"));
  EXPECT_EQ(server.url(), "redis://:s3cret@127.0.0.1:" + std::to_string(server.port()));
}

TEST(RedisServerTest, comes_back_empty_on_the_same_unix_socket) {
  RedisServer server({.transport = RedisServerOptions::Transport::kUnixSocket});
  EXPECT_EQ(server.command({"SET", "k", "v"}), "OK");
  server.restart();
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
  server.stop();
  EXPECT_THROW(server.command({"PING"}), std::runtime_error);
}

TEST(RedisServerTest, answers_again_after_a_freeze) {
  RedisServer server;
  server.freeze();
  server.thaw();
  EXPECT_EQ(server.command({"PING"}), "PONG");
}

TEST(ScriptedServerTest, answers_what_the_script_says) {
  ScriptedServer server([](std::string_view bytes) {
    return ScriptedServer::Action{
        .send = "HTTP/1.0 200 OK\r\n\r\n" + std::string(bytes.substr(0, 3)), .close = true};
  });
  ChildProcess client({.argv = {"bash", "-c",
                                "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(server.port()) +
                                    "; printf 'GET x' >&3; cat <&3"}});
  EXPECT_THAT(client.wait(), Optional(0));
  EXPECT_EQ(client.output(), "HTTP/1.0 200 OK\r\n\r\nGET");
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.bytes_received(), 5U);
}

TEST(FreePortTest, can_be_listened_on) {
  const std::uint16_t port = free_port();
  EXPECT_EQ(StallingServer(port).port(), port);
}

TEST(ClientHelloTest, tells_the_name_that_is_asked_for_and_waits_for_all_of_it) {
  const auto record = [](const std::string& extensions) {
    const auto sized = [](std::size_t width, const std::string& bytes) {
      std::string result;
      for (std::size_t i = width; i > 0; --i) {
        result += static_cast<char>(bytes.size() >> (8 * (i - 1)) & 0xFF);
      }
      return result + bytes;
    };
    const std::string hello = std::string(34, 'r') + sized(1, "") + sized(2, "cc") +
                              sized(1, std::string(1, '\0')) + sized(2, extensions);
    return "\x16\x03\x01" + sized(2, "\x01" + sized(3, hello));
  };
  using namespace std::string_literals;
  const std::string other = "\x00\x17\x00\x00"s;
  const std::string whole = record(other +
                                   "\x00\x00\x00\x06\x00\x04\x00\x00\x01"s
                                   "h");
  ASSERT_TRUE(parse_client_hello(whole).has_value());
  EXPECT_EQ(parse_client_hello(whole)->server_name, "h");
  EXPECT_EQ(parse_client_hello(record(other)).value().server_name, "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_client_hello(whole.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_client_hello("*1\r\n$4\r\nPING\r\n").has_value());
}

}  // namespace
}  // namespace llm_edge_cache::test
