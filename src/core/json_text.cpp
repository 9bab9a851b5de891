#include "core/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace llm_edge_cache {
namespace {

constexpr double kTwoTo53 = 9007199254740992.0;
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

constexpr bool needs_escape(char c) {
  return (static_cast<unsigned char>(c) < 0x20) | (c == '"') | (c == '\\');
}

// The length of the prefix that needs no escape. Whole blocks are tested without a branch inside,
// which compilers turn into vector instructions.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::size_t kBlock = 32;
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) {
    unsigned char found = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      found |= static_cast<unsigned char>(needs_escape(text[at + i]));
    }
    if (found != 0) {
      break;
    }
  }
  while (at < text.size() && !needs_escape(text[at])) {
    ++at;
  }
  return at;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 0x0FU];
}

template <class Number>
void append_integer(std::string& out, Number number) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

// The shortest digits that give the number back, and its decimal exponent as ECMA-262's
// Number::toString calls it: value = 0.digits * 10^exponent.
struct Decimal {
  std::array<char, 20> digits;
  int count = 0;
  int exponent = 0;
};

Decimal shortest_decimal(double positive) {
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), positive, std::chars_format::scientific)
          .ptr;
  Decimal decimal;
  const char* at = text.data();
  for (; *at != 'e'; ++at) {
    if (*at != '.') {
      decimal.digits[static_cast<std::size_t>(decimal.count++)] = *at;
    }
  }
  at += at[1] == '+' ? 2 : 1;  // from_chars takes no plus sign
  std::from_chars(at, end, decimal.exponent);
  ++decimal.exponent;
  return decimal;
}

void append_plain(std::string& out, const Decimal& decimal) {
  const std::string_view digits(decimal.digits.data(), static_cast<std::size_t>(decimal.count));
  if (decimal.exponent <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-decimal.exponent), '0');
    out += digits;
    return;
  }
  const auto whole = static_cast<std::size_t>(decimal.exponent);
  out += digits.substr(0, whole);
  if (digits.size() <= whole) {
    out.append(whole - digits.size(), '0');
  } else {
    out += '.';
    out += digits.substr(whole);
  }
}

void append_with_exponent(std::string& out, const Decimal& decimal) {
  const std::string_view digits(decimal.digits.data(), static_cast<std::size_t>(decimal.count));
  out += digits[0];
  if (digits.size() > 1) {
    out += '.';
    out += digits.substr(1);
  }
  const int exponent = decimal.exponent - 1;
  out += exponent < 0 ? "e-" : "e+";
  append_integer(out, std::abs(exponent));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// At most 15 significant digits survive the way to a double and back (DBL_DIG), so such a decimal
// is its own shortest form where it has no superfluous zero and needs no exponent.
bool is_plain_number(std::string_view text) {
  constexpr std::size_t kMaxDigits = 15;
  constexpr std::size_t kMaxLeadingZeros = 5;  // after the point; 1e-7 is written with an exponent
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  if (whole.empty() || text.size() > kMaxDigits + 1 || !std::ranges::all_of(whole, is_digit) ||
      (whole.size() > 1 && whole[0] == '0')) {
    return false;
  }
  if (point == text.size()) {
    return text.size() <= kMaxDigits && !(negative && whole == "0");
  }
  const auto fraction = text.substr(point + 1);
  return !fraction.empty() && std::ranges::all_of(fraction, is_digit) && fraction.back() != '0' &&
         (whole != "0" || fraction.find_first_not_of('0') <= kMaxLeadingZeros);
}

bool is_plain_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    return false;
  }
  return std::ranges::all_of(text.substr(1, text.size() - 2),
                             [](char c) { return c >= 0x20 && c < 0x7F && !needs_escape(c); });
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) {
      append_escape(out, text.front());
      text.remove_prefix(1);
    }
  }
  out += '"';
}

void append_json_number(std::string& out, std::int64_t number) {
  append_integer(out, number);
}

void append_json_number(std::string& out, std::uint64_t number) {
  append_integer(out, number);
}

void append_json_number(std::string& out, double number) {
  const double magnitude = std::abs(number);
  if (magnitude >= kTwoTo53) {  // a whole number
    if (number >= -kTwoTo63 && number < kTwoTo63) {
      return append_integer(out, static_cast<std::int64_t>(number));
    }
    if (number > 0 && number < kTwoTo64) {
      return append_integer(out, static_cast<std::uint64_t>(number));
    }
  }
  if (magnitude == 0) {
    out += '0';  // -0 as well
    return;
  }
  if (number < 0) {
    out += '-';
  }
  const auto decimal = shortest_decimal(magnitude);
  if (magnitude < kTwoTo53 && decimal.exponent > -6) {
    append_plain(out, decimal);
  } else {
    append_with_exponent(out, decimal);
  }
}

bool is_plain_canonical_scalar(std::string_view text) {
  return text == "true" || text == "false" || text == "null" || is_plain_number(text) ||
         is_plain_string(text);
}

}  // namespace llm_edge_cache
