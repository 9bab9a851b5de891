// The server against curl, the client against nginx.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "test_client.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::http {
namespace {

using test::ChildProcess;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Transfer {
  std::optional<int> status;
  std::string output;
  std::string error_output;
};

Transfer curl(std::vector<std::string> arguments, std::string input = "") {
  arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "20"});
  ChildProcess child({.argv = arguments, .input = std::move(input)});
  Transfer run;
  run.status = child.wait();
  run.output = child.output();
  run.error_output = child.error_output();
  return run;
}

std::string url_of(const TestServer& server, std::string_view path) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + std::string(path);
}

TEST(CurlTest, keeps_its_connection) {
  TestServer server(echo);
  const Transfer run =
      curl({"-w", "|%{num_connects}\n", url_of(server, "/a"), url_of(server, "/b")});
  EXPECT_EQ(run.status, 0) << run.error_output;
  EXPECT_EQ(run.output, "GET /a |1\nGET /b |0\n");
}

TEST(CurlTest, uploads_chunked_from_a_pipe) {
  TestServer server(echo);
  const std::string body(300'000, 'u');
  const Transfer run = curl({"-X", "POST", "-T", "-", url_of(server, "/up")}, body);
  EXPECT_EQ(run.status, 0) << run.error_output;
  EXPECT_EQ(run.output, "POST /up " + body);
}

TEST(CurlTest, waits_for_hundred_continue) {
  TestServer server(echo);
  const Transfer run = curl({"-v", "--expect100-timeout", "20", "-H", "Expect: 100-continue", "-d",
                             "hi", url_of(server, "/c")});
  EXPECT_EQ(run.status, 0) << run.error_output;
  EXPECT_THAT(run.error_output, HasSubstr("< HTTP/1.1 100 Continue"));
  EXPECT_EQ(run.output, "POST /c hi");
}

TEST(CurlTest, sends_head_and_gets_no_body) {
  TestServer server(echo);
  const Transfer run = curl({"-I", url_of(server, "/h")});
  EXPECT_EQ(run.status, 0) << run.error_output;
  EXPECT_THAT(run.output,
              AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("Content-Length: 8\r\n\r\n")));
}

TEST(CurlTest, offers_http2_and_stays_with_http11) {
  TestServer server(echo);
  const Transfer run = curl({"--http2", "-w", "|%{http_version}", url_of(server, "/")});
  EXPECT_EQ(run.status, 0) << run.error_output;
  EXPECT_EQ(run.output, "GET / |1.1");
}

TEST(CurlTest, notices_a_truncated_answer) {
  TestServer server([](const ExchangePtr& exchange) {
    exchange->start({});
    exchange->write("half");
    exchange->abort();
  });
  EXPECT_NE(curl({url_of(server, "/")}).status, 0);
}

// nginx with one folder of files, under which also an echo of what it was asked.
class NginxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/sbin/nginx")) GTEST_SKIP() << "nginx is not installed";
    for (int attempt = 0; attempt < 5 && !ready_; ++attempt) start();
    ASSERT_TRUE(ready_) << nginx_->error_output();
  }

  void start() {
    port_ = test::free_port();
    const std::filesystem::path root = folder_.path();
    std::ofstream(root / "big") << std::string(3'000'000, 'n');
    std::ofstream(root / "huge") << std::string(40'000'000, 'h');  // more than sockets buffer
    std::ofstream(root / "small") << "small file";
    std::ofstream(root / "nginx.conf")
        << "daemon off; master_process off; pid " << root.string() << "/pid;\n"
        << "error_log stderr;\nevents {}\nhttp { access_log off; keepalive_requests 2;\n"
        << "client_body_temp_path " << root.string() << "; proxy_temp_path " << root.string()
        << "; fastcgi_temp_path " << root.string() << "; uwsgi_temp_path " << root.string()
        << "; scgi_temp_path " << root.string() << ";\n"
        << "server { listen 127.0.0.1:" << port_ << "; root " << root.string() << ";\n"
        << "location /gone { return 204; }\n"
        << "location /compressed { alias " << root.string() << "/big; gzip on; gzip_types *; }\n"
        << "} }\n";
    nginx_ = std::make_unique<ChildProcess>(
        test::ChildOptions{.argv = {"/usr/sbin/nginx", "-p", root, "-c", root / "nginx.conf"}});
    ready_ = test::eventually([&] {
               return client_.get(port_, "/small").end.has_value() || !nginx_->running();
             }) &&
             nginx_->running();
  }

  test::TempDir folder_;
  TestClient client_;
  std::uint16_t port_ = 0;
  bool ready_ = false;
  std::unique_ptr<ChildProcess> nginx_;
};

TEST_F(NginxTest, files_come_whole) {
  const Outcome big = client_.get(port_, "/big");
  ASSERT_TRUE(big.end);
  EXPECT_TRUE(big.end->framed);
  EXPECT_EQ(big.body, std::string(3'000'000, 'n'));
  EXPECT_EQ(client_.get(port_, "/missing").head->status, 404);
  EXPECT_EQ(client_.get(port_, "/gone").head->status, 204);
}

TEST_F(NginxTest, chunked_answer_is_framed) {
  RequestHead head = request_head("GET", "/compressed");
  head.headers.add("Accept-Encoding", "gzip");
  const Outcome outcome = client_.fetch(origin_at(port_), head);
  ASSERT_TRUE(outcome.end);
  EXPECT_TRUE(outcome.end->framed);
  EXPECT_EQ(outcome.head->headers.get("content-encoding"), "gzip");
  EXPECT_EQ(outcome.head->headers.get("transfer-encoding"), "chunked");
}

TEST_F(NginxTest, head_has_the_length_and_no_body) {
  const Outcome outcome = client_.fetch(origin_at(port_), request_head("HEAD", "/big"));
  ASSERT_TRUE(outcome.end);
  EXPECT_EQ(outcome.head->headers.get("content-length"), "3000000");
  EXPECT_EQ(outcome.body, "");
}

TEST_F(NginxTest, connections_that_it_closes_are_replaced) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client_.get(port_, "/small").body, "small file");
}

TEST_F(NginxTest, that_dies_within_an_answer_is_an_error) {
  const auto collector = std::make_shared<Collector>();
  std::shared_ptr<ClientCall> call;
  Once<bool> begun;
  bool first = true;
  collector->data_hook = [&] {
    if (!std::exchange(first, false)) return;
    call->pause();
    begun.set(true);
  };
  client_.run([&] {
    call = client_.client().request(client_.thread(), origin_at(port_),
                                    request_head("GET", "/huge"), SharedBytes(), collector);
  });
  ASSERT_TRUE(begun.wait());
  nginx_->signal(SIGKILL);
  nginx_->wait();
  client_.run([&] { call->resume(); });
  const Outcome outcome = collector->wait();
  EXPECT_FALSE(outcome.end);
  EXPECT_EQ(outcome.error->at, FailedAt::kBody);
}

}  // namespace
}  // namespace llm_edge_cache::http
