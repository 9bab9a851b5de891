#include "tiers/redis/command.hpp"

#include <array>
#include <charconv>

namespace llm_edge_cache::redis {
namespace {

class Decimal {
 public:
  explicit Decimal(std::uint64_t value)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr) {}
  [[nodiscard]] std::string_view text() const {
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;
  char* end_;
};

void append_line(std::string& out, char marker, std::size_t number) {
  out.push_back(marker);
  out.append(Decimal(number).text());
  out.append("\r\n");
}

}  // namespace

void append_header(std::string& out, std::size_t arguments) {
  append_line(out, '*', arguments);
}

void append_argument(std::string& out, std::string_view argument) {
  append_line(out, '$', argument.size());
  out.append(argument);
  out.append("\r\n");
}

void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
  append_header(out, arguments.size());
  for (const std::string_view argument : arguments) append_argument(out, argument);
}

void append_get(std::string& out, std::string_view key) {
  append_command(out, {"GET", key});
}

void append_set(std::string& out, std::string_view key, std::string_view value,
                std::uint64_t px_ms) {
  append_command(out, {"SET", key, value, "PX", Decimal(px_ms).text()});
}

void append_unlink(std::string& out, std::string_view key) {
  append_command(out, {"UNLINK", key});
}

void append_scan(std::string& out, std::string_view cursor, std::string_view prefix,
                 std::uint64_t count) {
  append_command(
      out, {"SCAN", cursor, "MATCH", escape_glob(prefix) + "*", "COUNT", Decimal(count).text()});
}

std::string escape_glob(std::string_view text) {
  constexpr std::string_view kSpecial = "*?[]\\";
  std::string escaped;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

}  // namespace llm_edge_cache::redis
