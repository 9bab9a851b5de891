#include "tiers/redis/resp_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace llm_edge_cache::redis {
namespace {

using ::testing::HasSubstr;

// Nodes as text, so that a reply can be compared at a glance: depth by indentation.
std::string describe(RespReply reply) {
  std::string text;
  for (const RespNode& node : reply) {
    text += std::string(node.depth, ' ');
    switch (node.type) {
      case RespType::kSimpleString:
        text += "+" + std::string(node.text);
        break;
      case RespType::kError:
        text += "-" + std::string(node.text);
        break;
      case RespType::kInteger:
        text += ":" + std::to_string(node.integer);
        break;
      case RespType::kBulkString:
        text += "$" + std::string(node.text);
        break;
      case RespType::kNull:
        text += "nil";
        break;
      case RespType::kBoolean:
        text += node.integer != 0 ? "true" : "false";
        break;
      case RespType::kDouble:
        text += "," + std::string(node.text);
        break;
      case RespType::kBigNumber:
        text += "(" + std::string(node.text);
        break;
      case RespType::kArray:
        text += "array " + std::to_string(node.integer);
        break;
      case RespType::kSet:
        text += "set " + std::to_string(node.integer);
        break;
      case RespType::kMap:
        text += "map " + std::to_string(node.integer);
        break;
      case RespType::kPush:
        text += "push " + std::to_string(node.integer);
        break;
      case RespType::kTooLarge:
        text += "too large " + std::to_string(node.integer);
        break;
    }
    text += '\n';
  }
  return text;
}

// All replies of a stream that arrives in pieces of at most so many bytes. The bytes that are not
// consumed move between calls, as a buffer's may.
std::string parse_all(std::string_view stream, std::size_t piece, RespLimits limits = {}) {
  RespParser parser(limits);
  std::string result;
  std::string held;
  while (true) {
    const auto moved = std::make_unique<std::string>(held);
    const RespParser::Status status = parser.parse(*moved);
    if (status == RespParser::Status::kError) return result + "error: " + parser.error() + '\n';
    if (status == RespParser::Status::kReply) result += describe(parser.reply());
    held.erase(0, parser.consumed());
    if (status == RespParser::Status::kReply) continue;
    if (stream.empty()) return held.empty() ? result : result + "incomplete\n";
    held += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
  }
}

std::string parse_whole(std::string_view stream, RespLimits limits = {}) {
  return parse_all(stream, stream.size(), limits);
}

TEST(RespParserTest, reads_the_five_types_of_resp2) {
  EXPECT_EQ(parse_whole("+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n*-1\r\n"),
            "+OK\n-ERR no\n:-42\n$a\r\nbc\nnil\n$\nnil\n");
  EXPECT_EQ(parse_whole("*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n+y\r\n"),
            "array 3\n :1\n array 2\n  $x\n  array 0\n +y\n");
}

TEST(RespParserTest, reads_the_types_that_resp3_adds) {
  EXPECT_EQ(parse_whole("_\r\n#t\r\n#f\r\n,1.5e3\r\n,-inf\r\n(123456789012345678901\r\n"),
            "nil\ntrue\nfalse\n,1.5e3\n,-inf\n(123456789012345678901\n");
  EXPECT_EQ(parse_whole("=7\r\ntxt:abc\r\n!5\r\nERR x\r\n"), "$txt:abc\n-ERR x\n");
  EXPECT_EQ(parse_whole("%1\r\n+k\r\n:1\r\n~1\r\n:7\r\n>2\r\n+message\r\n+m\r\n"),
            "map 2\n +k\n :1\nset 1\n :7\npush 2\n +message\n +m\n");
}

TEST(RespParserTest, forgets_attributes) {
  EXPECT_EQ(parse_whole("|1\r\n+ttl\r\n*1\r\n:9\r\n$1\r\nv\r\n"), "$v\n");
  EXPECT_EQ(parse_whole("*2\r\n|1\r\n+a\r\n:1\r\n:5\r\n|0\r\n:6\r\n"), "array 2\n :5\n :6\n");
}

TEST(RespParserTest, gives_the_same_replies_however_the_bytes_are_cut) {
  const std::string stream = "+OK\r\n*2\r\n$3\r\nk\r\n\r\n*1\r\n|1\r\n+a\r\n_\r\n:12\r\n$4000\r\n" +
                             std::string(4000, 'z') + "\r\n%1\r\n+a\r\n$-1\r\n-ERR\r\n";
  const std::string expected = parse_whole(stream);
  EXPECT_THAT(expected, ::testing::Not(HasSubstr("error")));
  for (std::size_t piece = 1; piece < 64; ++piece) EXPECT_EQ(parse_all(stream, piece), expected);
}

TEST(RespParserTest, points_into_the_input) {
  const std::string stream = "*1\r\n$3\r\nabc\r\n";
  RespParser parser;
  ASSERT_EQ(parser.parse(stream), RespParser::Status::kReply);
  EXPECT_EQ(parser.reply()[1].text.data(), stream.data() + 8);
  EXPECT_EQ(parser.consumed(), stream.size());
}

TEST(RespParserTest, tells_how_much_of_a_bulk_string_is_missing) {
  RespParser parser;
  ASSERT_EQ(parser.parse("$1000\r\nabc"), RespParser::Status::kNeedMore);
  EXPECT_EQ(parser.consumed(), 0U);
  EXPECT_EQ(parser.bytes_missing(), 1000U - 3U + 2U);
}

struct Rubbish {
  const char* bytes;
  const char* error;
};

class RubbishTest : public ::testing::TestWithParam<Rubbish> {};

TEST_P(RubbishTest, is_refused_with_a_reason_and_for_good) {
  EXPECT_EQ(parse_whole(GetParam().bytes), "error: " + std::string(GetParam().error) + "\n");
  EXPECT_EQ(parse_all(GetParam().bytes, 1), "error: " + std::string(GetParam().error) + "\n");
  RespParser parser;
  EXPECT_EQ(parser.parse(GetParam().bytes), RespParser::Status::kError);
  EXPECT_EQ(parser.parse("+OK\r\n"), RespParser::Status::kError);
}

INSTANTIATE_TEST_SUITE_P(
    RespParser, RubbishTest,
    ::testing::Values(Rubbish{"HTTP/1.1 400 Bad Request", "not a reply"},
                      Rubbish{"\r\n", "not a reply"}, Rubbish{"*1\r\nx", "not a reply"},
                      Rubbish{":\r\n", "bad integer"}, Rubbish{":1 \r\n", "bad integer"},
                      Rubbish{":+-1\r\n", "bad integer"}, Rubbish{":01\r\n", "bad integer"},
                      Rubbish{":-0\r\n", "bad integer"}, Rubbish{"*02\r\n", "bad array length"},
                      Rubbish{":9223372036854775808\r\n", "bad integer"},
                      Rubbish{"$\r\n", "bad bulk length"}, Rubbish{"$-2\r\n", "bad bulk length"},
                      Rubbish{"$+1\r\n", "bad bulk length"}, Rubbish{"$?\r\n", "bad bulk length"},
                      Rubbish{"=-1\r\n", "bad bulk length"},
                      Rubbish{"$99999999999\r\n", "bad bulk length"},
                      Rubbish{"$1\r\nab", "bulk string without its end"},
                      Rubbish{"$1\r\na\rb", "bulk string without its end"},
                      Rubbish{"*-2\r\n", "bad array length"},
                      Rubbish{"%-1\r\n", "bad array length"}, Rubbish{"_x\r\n", "bad null"},
                      Rubbish{"#y\r\n", "bad boolean"}, Rubbish{",1.x\r\n", "bad double"},
                      Rubbish{"(12a\r\n", "bad big number"}, Rubbish{"(-\r\n", "bad big number"}));

TEST(RespParserLimitsTest, skips_a_value_over_the_limit_and_reads_on) {
  const RespLimits limits{.max_bulk_bytes = 10, .max_reply_bytes = 100};
  const std::string stream = "$11\r\nabcdefghijk\r\n+next\r\n";
  EXPECT_EQ(parse_whole(stream, limits), "too large 11\n+next\n");
  for (std::size_t piece = 1; piece < stream.size(); ++piece) {
    EXPECT_EQ(parse_all(stream, piece, limits), "too large 11\n+next\n");
  }
}

TEST(RespParserLimitsTest, keeps_nothing_of_a_skipped_value) {
  RespParser parser({.max_bulk_bytes = 10});
  ASSERT_EQ(parser.parse("$1000\r\nabc"), RespParser::Status::kNeedMore);
  EXPECT_EQ(parser.consumed(), 10U);
  EXPECT_EQ(parser.bytes_missing(), 1000U - 3U + 2U);
}

TEST(RespParserLimitsTest, refuses_what_is_over_a_limit) {
  EXPECT_EQ(parse_whole("*1\r\n$11\r\n", {.max_bulk_bytes = 10}), "error: bulk string too large\n");
  EXPECT_EQ(parse_whole("*3\r\n", {.max_nodes = 2}), "error: reply of too many elements\n");
  EXPECT_EQ(parse_whole("*2\r\n:1\r\n:2\r\n", {.max_nodes = 2}),
            "error: reply of too many elements\n");
  EXPECT_EQ(parse_whole("*1\r\n*1\r\n*1\r\n", {.max_depth = 2}), "error: reply nested too deep\n");
  EXPECT_EQ(parse_whole("+" + std::string(200, 'x'), {.max_line_bytes = 100}),
            "error: line too long\n");
  EXPECT_EQ(parse_whole("*2\r\n$9\r\n123456789\r\n$9\r\n", {.max_reply_bytes = 25}),
            "error: reply too large\n");
}

TEST(RespParserLimitsTest, takes_half_of_a_line_end_for_no_part_of_the_line) {
  const std::string longest = "+" + std::string(99, 'x') + "\r\n";
  for (const std::size_t piece : {1, 2, 100, 101, 102}) {
    EXPECT_EQ(parse_all(longest, piece, {.max_line_bytes = 100}), longest.substr(0, 100) + "\n");
  }
}

TEST(RespParserLimitsTest, bounds_attributes_without_end) {
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += "|0\r\n";
  EXPECT_EQ(parse_whole(stream, {.max_reply_bytes = 100}), "error: reply too large\n");
}

// hiredis reads the same stream to the same replies.

struct ReaderDeleter {
  void operator()(redisReader* reader) const { ::redisReaderFree(reader); }
};

void describe_oracle(const redisReply& reply, std::size_t depth, std::string& text) {
  text += std::string(depth, ' ');
  switch (reply.type) {
    case REDIS_REPLY_STATUS:
      text += "+" + std::string(reply.str, reply.len);
      break;
    case REDIS_REPLY_ERROR:
      text += "-" + std::string(reply.str, reply.len);
      break;
    case REDIS_REPLY_INTEGER:
      text += ":" + std::to_string(reply.integer);
      break;
    case REDIS_REPLY_STRING:
      text += "$" + std::string(reply.str, reply.len);
      break;
    case REDIS_REPLY_NIL:
      text += "nil";
      break;
    default:
      text += "array " + std::to_string(reply.elements);
      break;
  }
  text += '\n';
  for (std::size_t i = 0; reply.type == REDIS_REPLY_ARRAY && i < reply.elements; ++i) {
    describe_oracle(*reply.element[i], depth + 1, text);
  }
}

std::string parse_with_hiredis(const std::string& stream) {
  const std::unique_ptr<redisReader, ReaderDeleter> reader(::redisReaderCreate());
  ::redisReaderFeed(reader.get(), stream.data(), stream.size());
  std::string text;
  void* reply = nullptr;
  while (::redisReaderGetReply(reader.get(), &reply) == REDIS_OK && reply != nullptr) {
    describe_oracle(*static_cast<redisReply*>(reply), 0, text);
    ::freeReplyObject(reply);
  }
  return text;
}

void append_random_reply(std::mt19937& random, int depth, std::string& out) {
  const auto pick = [&random](int n) { return static_cast<int>(random() % n); };
  switch (pick(depth > 0 ? 6 : 5)) {
    case 0:
      out += "+status " + std::to_string(random()) + "\r\n";
      break;
    case 1:
      out += "-ERR error " + std::to_string(random()) + "\r\n";
      break;
    case 2:
      out += ":" + std::to_string(static_cast<std::int32_t>(random())) + "\r\n";
      break;
    case 3:
      out += "$-1\r\n";
      break;
    case 4: {
      std::string value(pick(300), '\0');
      for (char& c : value) c = static_cast<char>(random());
      out += "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
      break;
    }
    default: {
      const int elements = pick(5);
      out += "*" + std::to_string(elements) + "\r\n";
      for (int i = 0; i < elements; ++i) append_random_reply(random, depth - 1, out);
    }
  }
}

TEST(RespParserOracleTest, agrees_with_hiredis_on_random_streams) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    for (int i = 0; i < 8; ++i) append_random_reply(random, 3, stream);
    ASSERT_EQ(parse_all(stream, 1 + random() % 97), parse_with_hiredis(stream)) << stream;
  }
}

}  // namespace
}  // namespace llm_edge_cache::redis
