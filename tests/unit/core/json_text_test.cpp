#include "core/json_text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "core/canonical_json.hpp"

namespace llm_edge_cache {
namespace {

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

double from_bits(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}

TEST(JsonNumberTest, whole_numbers_have_neither_point_nor_exponent) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(1), "1");
  EXPECT_EQ(number(-120), "-120");
  EXPECT_EQ(number(123456789012345), "123456789012345");
  EXPECT_EQ(number(9007199254740991.0), "9007199254740991");
}

TEST(JsonNumberTest, fractions_have_the_fewest_digits_that_give_them_back) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(0.7), "0.7");
  EXPECT_EQ(number(-12.5), "-12.5");
  EXPECT_EQ(number(4.35), "4.35");
  EXPECT_EQ(number(333333333.33333329), "333333333.3333333");
  EXPECT_EQ(number(1424953923781206.2), "1424953923781206.2");
  EXPECT_EQ(number(0.1 + 0.2), "0.30000000000000004");
}

TEST(JsonNumberTest, small_numbers_turn_to_exponents_below_one_millionth) {
  EXPECT_EQ(number(1e-6), "0.000001");
  EXPECT_EQ(number(1.5e-6), "0.0000015");
  EXPECT_EQ(number(1e-7), "1e-7");
  EXPECT_EQ(number(-1.25e-7), "-1.25e-7");
  EXPECT_EQ(number(9.999999999999997e-7), "9.999999999999997e-7");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(-5e-324), "-5e-324");
  EXPECT_EQ(number(2.2250738585072014e-308), "2.2250738585072014e-308");
}

TEST(JsonNumberTest, large_numbers_have_an_exponent_with_its_sign) {
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1e23), "1e+23");
  EXPECT_EQ(number(9.999999999999997e22), "9.999999999999997e+22");
  EXPECT_EQ(number(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(number(-1.7976931348623157e308), "-1.7976931348623157e+308");
}

TEST(JsonNumberTest, neighbours_of_a_round_number_are_told_apart) {
  // One step of the last bit around 1e23 and around 2^-1022.
  EXPECT_EQ(number(from_bits(0x44b52d02c7e14af5)), "9.999999999999997e+22");
  EXPECT_EQ(number(from_bits(0x44b52d02c7e14af6)), "1e+23");
  EXPECT_EQ(number(from_bits(0x44b52d02c7e14af7)), "1.0000000000000001e+23");
  EXPECT_EQ(number(from_bits(0x0000000000000001)), "5e-324");
  EXPECT_EQ(number(from_bits(0x000fffffffffffff)), "2.225073858507201e-308");
}

// Where we depart from RFC 8785, which pads the shortest digits with zeros up to 1e21.
TEST(JsonNumberTest, whole_numbers_in_the_range_of_integers_keep_exact_digits) {
  EXPECT_EQ(number(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(number(9223372036854775808.0), "9223372036854775808");
  EXPECT_EQ(number(-9223372036854775808.0), "-9223372036854775808");
  EXPECT_EQ(number(18446744073709549568.0), "18446744073709549568");
}

TEST(JsonNumberTest, whole_numbers_beyond_integers_have_an_exponent) {
  EXPECT_EQ(number(18446744073709551616.0), "1.8446744073709552e+19");
  EXPECT_EQ(number(-9223372036854777856.0), "-9.223372036854778e+18");
  EXPECT_EQ(number(1e20), "1e+20");
}

TEST(JsonNumberTest, integers_keep_every_digit) {
  std::string out;
  append_json_number(out, std::numeric_limits<std::int64_t>::min());
  out += ' ';
  append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out, "-9223372036854775808 18446744073709551615");
}

TEST(JsonNumberTest, any_double_reads_back_and_has_no_shorter_form) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const double value = from_bits(random());
    if (!std::isfinite(value)) {
      continue;
    }
    const auto text = number(value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    std::size_t digits = 0;
    for (const char c : text.substr(0, text.find('e'))) {
      digits += c >= '0' && c <= '9' ? 1 : 0;
    }
    char shorter[64];
    const bool has_exponent = text.find('e') != std::string::npos;
    if (has_exponent && digits > 1) {
      std::snprintf(shorter, sizeof shorter, "%.*e", static_cast<int>(digits) - 2, value);
      ASSERT_NE(std::strtod(shorter, nullptr), value) << text << " " << shorter;
    }
  }
}

TEST(JsonStringTest, escapes_only_what_must_be) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("plain text / slash"), R"("plain text / slash")");
  EXPECT_EQ(json_string("\b\t\n\f\r\"\\"), R"("\b\t\n\f\r\"\\")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x0b\x1f\x7f", 5)),
            "\"\\u0000\\u0001\\u000b\\u001f\x7f\"");
  EXPECT_EQ(json_string("\xE2\x82\xAC \xF0\x9F\x98\x82"), "\"\xE2\x82\xAC \xF0\x9F\x98\x82\"");
}

TEST(JsonStringTest, finds_an_escape_at_every_place) {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char special : {'"', '\\', '\n', '\x1e'}) {
        std::string text(length, 'a');
        text[at] = special;
        const auto escape = special == '\n'     ? std::string("\\n")
                            : special == '\x1e' ? std::string("\\u001e")
                                                : std::string("\\") + special;
        const auto expected = '"' + text.substr(0, at) + escape + text.substr(at + 1) + '"';
        ASSERT_EQ(json_string(text), expected);
      }
    }
  }
}

TEST(JsonStringTest, bytes_next_to_special_ones_are_plain) {
  // Neighbours of the three tests and every byte above ASCII, in one word with a special one.
  for (int byte = 0x20; byte < 0x100; ++byte) {
    const char c = static_cast<char>(byte);
    if (c == '"' || c == '\\') {
      continue;
    }
    const std::string text(8, c);
    ASSERT_EQ(json_string(text), '"' + text + '"') << byte;
    ASSERT_EQ(json_string(text + "\n" + text), '"' + text + "\\n" + text + '"') << byte;
  }
}

TEST(PlainCanonicalScalarTest, knows_simple_scalars) {
  for (const auto* const text :
       {"true", "false", "null", "0", "1", "-1", "123456789012345", "0.1", "0.9", "-0.5", "12.25",
        "0.000001", "1234567.12345678", "\"\"", "\"auto\"", "\"a b/c~\""}) {
    EXPECT_TRUE(is_plain_canonical_scalar(text)) << text;
  }
}

TEST(PlainCanonicalScalarTest, leaves_everything_else_to_the_parser) {
  for (const auto* const text : {"",          " ",
                                 " 1",        "1 ",
                                 "-",         "-0",
                                 "-0.0",      "0.0",
                                 "01",        "-01",
                                 "1.",        ".5",
                                 "0.10",      "1e5",
                                 "1E5",       "1.5e3",
                                 "+1",        "1234567890123456",
                                 "0.0000001", "1.000000000000000001",
                                 "True",      "nul",
                                 "NaN",       "\"",
                                 "\"a",       "a\"",
                                 "\"a\"b\"",  "\"\\n\"",
                                 "\"\n\"",    "\"\xC3\xA9\"",
                                 "\"\x7f\"",  "{}",
                                 "[]",        "[1]",
                                 "1,2",       "--1",
                                 "1-1",       "1.2.3",
                                 "- 1"}) {
    EXPECT_FALSE(is_plain_canonical_scalar(text)) << text;
  }
}

TEST(PlainCanonicalScalarTest, agrees_with_the_parser) {
  std::mt19937 random(2);
  constexpr std::string_view kAlphabet = "0011234567899..--eE\"a";
  int plain = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (auto length = 1 + random() % 9; length > 0; --length) {
      text += kAlphabet[random() % kAlphabet.size()];
    }
    if (is_plain_canonical_scalar(text)) {
      ++plain;
      const auto canonical = canonical_json(text);
      ASSERT_TRUE(canonical.ok()) << text;
      ASSERT_EQ(*canonical, text);
    }
  }
  EXPECT_GT(plain, 1000);
}

}  // namespace
}  // namespace llm_edge_cache
