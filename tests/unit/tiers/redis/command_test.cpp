#include "tiers/redis/command.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

TEST(CommandTest, is_an_array_of_bulk_strings) {
  std::string out;
  append_command(out, {"AUTH", "alice", ""});
  EXPECT_EQ(out, "*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$0\r\n\r\n");
}

TEST(CommandTest, is_appended_to_what_is_there) {
  std::string out;
  append_get(out, "a");
  append_unlink(out, "b");
  EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$6\r\nUNLINK\r\n$1\r\nb\r\n");
}

TEST(CommandTest, carries_any_bytes) {
  using namespace std::string_literals;
  std::string out;
  append_set(out, "k", "a\0\r\n\xff"s, 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(out,
            "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\0\r\n\xff\r\n$2\r\nPX\r\n"
            "$20\r\n18446744073709551615\r\n"s);
}

TEST(CommandTest, scans_for_the_prefix_as_it_is_written) {
  std::string out;
  append_scan(out, "17", "a*b:", 512);
  EXPECT_EQ(out,
            "*6\r\n$4\r\nSCAN\r\n$2\r\n17\r\n$5\r\nMATCH\r\n$6\r\na\\*b:*\r\n$5\r\nCOUNT\r\n"
            "$3\r\n512\r\n");
}

TEST(EscapeGlobTest, escapes_what_a_pattern_gives_a_meaning) {
  EXPECT_EQ(escape_glob("llm_cache:"), "llm_cache:");
  EXPECT_EQ(escape_glob("a*?[^b-c]\\"), "a\\*\\?\\[^b-c\\]\\\\");
}

}  // namespace
}  // namespace llm_edge_cache::redis
