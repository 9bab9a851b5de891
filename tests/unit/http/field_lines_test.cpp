#include "http/field_lines.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/decimal.hpp"
#include "http/head_writer.hpp"

namespace llm_edge_cache::http {
namespace {

using namespace std::string_view_literals;

TEST(FieldLinesTest, fields_stand_as_they_are_sent) {
  FieldLines fields;
  fields.add<"Content-Type">("application/json"sv);
  fields.add<"Age">(Decimal(3));
  EXPECT_EQ(fields.text(), "Content-Type: application/json\r\nAge: 3\r\n");
  EXPECT_TRUE(fields.is_sendable());
}

TEST(FieldLinesTest, a_value_may_have_parts_or_none) {
  FieldLines fields;
  fields.add<"a">("x; ttl=", Decimal(-7), "; by="sv, std::string("me"));
  fields.add<"b">();
  EXPECT_EQ(fields.text(), "a: x; ttl=-7; by=me\r\nb: \r\n");
}

TEST(FieldLinesTest, grows_with_what_is_added_and_starts_anew_after_clear) {
  FieldLines fields;
  const std::string value(5'000, 'v');
  fields.add<"a">(value);
  fields.add<"b">(value);
  EXPECT_EQ(fields.text(), "a: " + value + "\r\nb: " + value + "\r\n");
  fields.clear();
  EXPECT_EQ(fields.text(), "");
  fields.add<"c">("d");
  EXPECT_EQ(fields.text(), "c: d\r\n");
}

TEST(FieldLinesTest, a_value_that_would_break_the_message_is_never_sent) {
  for (const std::string_view bad : {"a\r\nb: c"sv, "a\n"sv, "a\0"sv, "\x7f"sv}) {
    FieldLines fields;
    fields.add<"a">(bad);
    EXPECT_FALSE(fields.is_sendable());
    std::string out = "before";
    EXPECT_FALSE(append_response_head(out, PreparedHead{200, fields}, {}));
    EXPECT_EQ(out, "before");
    fields.clear();
    EXPECT_TRUE(fields.is_sendable());
  }
}

TEST(FieldLinesTest, a_prepared_head_reads_as_any_other) {
  FieldLines fields;
  fields.add<"A">("b");
  ResponseHead head;
  head.headers.add("A", "b");
  const ResponseFormat format{
      .framing = {.content_length = 12}, .persistence = Persistence::kClose, .date = "now"};
  for (const std::uint16_t status : {std::uint16_t{200}, std::uint16_t{404}}) {
    head.status = status;
    std::string prepared;
    std::string usual;
    ASSERT_TRUE(append_response_head(prepared, PreparedHead{status, fields}, format));
    ASSERT_TRUE(append_response_head(usual, head, format));
    EXPECT_EQ(prepared, usual);
  }
}

}  // namespace
}  // namespace llm_edge_cache::http
