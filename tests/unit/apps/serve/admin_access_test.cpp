#include "serve/admin_access.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using Fields = std::initializer_list<http::HeaderField>;

constexpr std::string_view kToken = "0123456789abcdef";

http::RequestHead request(std::string method, std::string target, Fields fields) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  for (const auto& field : fields) head.headers.add(field.name, field.value);
  return head;
}

int status_of(const AdminAccess& access, const http::RequestHead& head) {
  const auto refusal = access.refuse(head);
  return refusal ? refusal->status : 200;
}

class TokenFile {
 public:
  explicit TokenFile(std::string_view text, std::filesystem::perms others = {}) {
    std::ofstream(path()) << text;
    std::filesystem::permissions(
        path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write | others);
  }
  [[nodiscard]] std::string path() const { return (dir_.path() / "token").string(); }

 private:
  test::TempDir dir_;
};

TEST(AdminAccessTest, without_a_token_whoever_reaches_this_machine_may_ask) {
  const AdminAccess access("");
  for (const char* host :
       {"127.0.0.1:9090", "localhost:9090", "localhost", "[::1]:9090", "[::1]"}) {
    EXPECT_EQ(status_of(access, request("GET", "/stats", {{"Host", host}})), 200) << host;
  }
}

TEST(AdminAccessTest, a_name_that_was_bound_to_our_address_is_refused) {
  const AdminAccess access("");
  EXPECT_EQ(status_of(access, request("GET", "/export", {{"Host", "evil.example:9090"}})), 403);
  EXPECT_EQ(status_of(access, request("GET", "/export", {})), 403);
}

TEST(AdminAccessTest, a_form_of_a_foreign_page_cannot_purge) {
  const AdminAccess access("");
  const auto post = [&](std::string_view type) {
    return status_of(access,
                     request("POST", "/purge", {{"Host", "127.0.0.1"}, {"Content-Type", type}}));
  };
  EXPECT_EQ(post("text/plain"), 415);
  EXPECT_EQ(post("application/x-www-form-urlencoded"), 415);
  EXPECT_EQ(post("application/json"), 200);
  EXPECT_EQ(post("application/json; charset=utf-8"), 200);
  EXPECT_EQ(post("application/x-ndjson"), 200);
}

TEST(AdminAccessTest, with_a_token_only_its_bearer_may_ask_from_any_host) {
  const AdminAccess access{std::string(kToken)};
  const auto get = [&](std::string_view authorization) {
    return status_of(
        access,
        request("GET", "/stats", {{"Host", "proxy.internal"}, {"Authorization", authorization}}));
  };
  EXPECT_EQ(get("Bearer 0123456789abcdef"), 200);
  EXPECT_EQ(get("bearer 0123456789abcdef"), 200);
  EXPECT_EQ(get("Bearer 0123456789abcdeg"), 401);
  EXPECT_EQ(get("Bearer 0123456789abcdef0"), 401);
  EXPECT_EQ(get("Bearer "), 401);
  EXPECT_EQ(get("0123456789abcdef"), 401);
  EXPECT_EQ(status_of(access, request("GET", "/metrics", {{"Host", "127.0.0.1"}})), 401);
}

TEST(AdminAccessTest, health_is_everybodys) {
  const AdminAccess access{std::string(kToken)};
  EXPECT_EQ(status_of(access, request("GET", "/healthz", {})), 200);
  EXPECT_EQ(status_of(access, request("GET", "/readyz", {})), 200);
}

TEST(AdminAccessTest, a_token_is_the_file_without_its_end_of_line) {
  const TokenFile file("0123456789abcdef\r\n");
  EXPECT_EQ(AdminAccess::load_token(file.path()).value(), kToken);
}

TEST(AdminAccessTest, a_token_that_others_can_read_or_guess_is_refused) {
  const TokenFile readable("0123456789abcdef", std::filesystem::perms::group_read);
  EXPECT_EQ(AdminAccess::load_token(readable.path()).error().code, ErrorCode::kIo);
  const TokenFile small("short");
  EXPECT_EQ(AdminAccess::load_token(small.path()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(AdminAccess::load_token("/nowhere/token").error().code, ErrorCode::kIo);
}

TEST(AdminAccessTest, only_loopback_addresses_are_this_machines_alone) {
  for (const char* listen : {"127.0.0.1:9090", "127.1.2.3:0", "[::1]:9090", "localhost:9090"}) {
    EXPECT_TRUE(is_loopback(listen)) << listen;
  }
  for (const char* listen : {":9090", "0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090", "admin:9090"}) {
    EXPECT_FALSE(is_loopback(listen)) << listen;
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
