#include "http/head_writer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::http {
namespace {

TEST(ResponseHeadWriterTest, writes_status_fields_date_and_framing) {
  ResponseHead head;
  head.status = 404;
  head.headers.add("A", "b");
  std::string out;
  ASSERT_TRUE(append_response_head(
      out, head,
      {.framing = {.content_length = 3}, .persistence = Persistence::kClose, .date = "now"}));
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nA: b\r\nDate: now\r\nContent-Length: 3\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ResponseHeadWriterTest, framing_and_connection_of_the_head_are_left_out) {
  ResponseHead head;
  head.headers = {{"Content-Length", "9"},
                  {"transfer-encoding", "gzip"},
                  {"Connection", "x"},
                  {"Keep-Alive", "5"},
                  {"Date", "then"}};
  std::string out;
  ASSERT_TRUE(append_response_head(
      out, head,
      {.framing = {.chunked = true}, .persistence = Persistence::kKeepAlive, .date = "now"}));
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nDate: then\r\nTransfer-Encoding: chunked\r\n"
            "Connection: keep-alive\r\n\r\n");
}

TEST(ResponseHeadWriterTest, fields_that_would_break_the_message_are_refused) {
  for (const HeaderField field :
       {HeaderField{"", "v"}, HeaderField{"a b", "v"}, HeaderField{"a:", "v"},
        HeaderField{"a\r\nb", "v"}, HeaderField{"a", "v\r\nb: c"}, HeaderField{"a", "v\n"},
        HeaderField{"a", std::string_view("v\0", 2)}, HeaderField{"a", "\x7f"}}) {
    ResponseHead head;
    head.headers.add(field.name, field.value);
    std::string out = "before";
    EXPECT_FALSE(append_response_head(out, head, {}));
    EXPECT_EQ(out, "before");
  }
  ResponseHead head;
  head.headers.add("X-Text", "tab\tand \xc3\xa4");
  std::string out;
  EXPECT_TRUE(append_response_head(out, head, {}));
}

TEST(ResponseHeadWriterTest, extra_fields_stand_in_place_of_those_that_they_replace) {
  ExtraFields extra;
  extra.lines.add<"X-A">("ours");
  extra.replaces = "x-";
  ResponseHead head;
  head.headers = {{"X-A", "theirs"}, {"x-b", "theirs"}, {"X", "stays"}, {"Y-X-A", "stays"}};
  std::string out;
  ASSERT_TRUE(append_response_head(out, head, {.date = "now", .extra = &extra}));
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nX: stays\r\nY-X-A: stays\r\nX-A: ours\r\nDate: now\r\n\r\n");
  extra.replaces = {};
  out.clear();
  ASSERT_TRUE(append_response_head(out, head, {.date = "now", .extra = &extra}));
  EXPECT_NE(out.find("X-A: theirs\r\nx-b: theirs\r\n"), std::string::npos);
}

TEST(ResponseHeadWriterTest, a_prepared_head_has_extra_fields_and_keeps_its_own) {
  ExtraFields extra;
  extra.lines.add<"X-A">("extra");
  extra.replaces = "x-";
  FieldLines fields;
  fields.add<"X-B">("own");
  std::string out;
  ASSERT_TRUE(append_response_head(out, PreparedHead{.status = 204, .fields = fields},
                                   {.date = "now", .extra = &extra}));
  EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nX-B: own\r\nX-A: extra\r\nDate: now\r\n\r\n");
}

TEST(ResponseHeadWriterTest, extra_fields_that_would_break_the_message_are_refused) {
  ExtraFields extra;
  extra.lines.add<"X-A">(std::string_view("a\r\nb: c"));
  std::string out = "before";
  EXPECT_FALSE(append_response_head(out, ResponseHead(), {.date = "now", .extra = &extra}));
  EXPECT_FALSE(append_response_head(out, PreparedHead{.fields = FieldLines()},
                                    {.date = "now", .extra = &extra}));
  EXPECT_EQ(out, "before");
}

TEST(RequestHeadWriterTest, writes_the_line_host_and_end_to_end_fields) {
  RequestHead head;
  head.method = "POST";
  head.target = "/v1?a=b";
  head.headers = {{"Authorization", "Bearer k"}, {"Connection", "close"}, {"TE", "trailers"},
                  {"Expect", "100-continue"},    {"Upgrade", "h2c"},      {"Content-Length", "9"}};
  std::string out;
  ASSERT_TRUE(append_request_head(out, head, {.framing = {.content_length = 2}, .host = "h:1"}));
  EXPECT_EQ(out,
            "POST /v1?a=b HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer k\r\n"
            "Content-Length: 2\r\n\r\n");
}

TEST(RequestHeadWriterTest, host_of_the_head_wins) {
  RequestHead head;
  head.headers.add("host", "mine");
  std::string out;
  ASSERT_TRUE(append_request_head(out, head, {.host = "theirs"}));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nhost: mine\r\n\r\n");
}

TEST(RequestHeadWriterTest, line_that_would_break_is_refused) {
  std::string out;
  RequestHead head;
  for (const std::string_view target : {"", "/a b", "/a\r\n", "/\x80"}) {
    head.target = target;
    EXPECT_FALSE(append_request_head(out, head, {.host = "h"}));
  }
  head.target = "/";
  head.method = "GE T";
  EXPECT_FALSE(append_request_head(out, head, {.host = "h"}));
  EXPECT_EQ(out, "");
}

TEST(ChunkSizeTest, is_hexadecimal) {
  std::string out;
  append_chunk_size(out, 1);
  append_chunk_size(out, 255);
  append_chunk_size(out, 1 << 20);
  EXPECT_EQ(out, "1\r\nff\r\n100000\r\n");
}

}  // namespace
}  // namespace llm_edge_cache::http
