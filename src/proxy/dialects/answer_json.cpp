#include "proxy/dialects/answer_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::size_t kMaxIntegerDigits = 18;  // every such number is an int64
// Of names within an object: what building it may cost, some 60 ms, and for the largest requests as
// much as parsing them. Without a bound 0.8 MB of members, all in one object, take 15 s.
constexpr std::size_t kLeastComparisons = 1U << 24U;
constexpr std::size_t kComparisonsPerByte = 4;

// What JSON's grammar does not bound, looked at before anything is built. Whether brackets match is
// the parser's business.
class TextScan {
 public:
  // False where the text is beyond our bounds.
  bool scan(std::string_view text) {
    most_comparisons_ = std::max(kLeastComparisons, text.size() * kComparisonsPerByte);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string_) {
        if (c == '\\') {
          ++i;
        } else if (c == '"') {
          in_string_ = false;
        }
      } else if (c >= '0' && c <= '9') {
        ++digits_;
      } else if (!end_number(c) || !enter(c)) {
        return false;
      }
    }
    return digits_ <= kMaxIntegerDigits;
  }

  // Of all objects together, as the text has them.
  [[nodiscard]] std::size_t members() const { return members_; }

 private:
  // A fraction or an exponent makes a double of the number, whose digits do not count.
  bool end_number(char c) {
    if (c == '.' || ((c == 'e' || c == 'E') && digits_ > 0)) {
      is_fraction_ = true;
      digits_ = 0;
      return true;
    }
    const bool fits = is_fraction_ || digits_ <= kMaxIntegerDigits;
    if (c != '+' && c != '-') {
      is_fraction_ = false;
    }
    digits_ = 0;
    return fits;
  }
  bool enter(char c) {
    if (c == '"') {
      in_string_ = true;
    } else if (c == '[' || c == '{') {
      if (++depth_ > kMaxAnswerDepth) return false;
      members_at_[static_cast<std::size_t>(std::max(depth_, 0))] = 0;
    } else if (c == ']' || c == '}') {
      --depth_;
    } else if (c == ':') {
      return add_member();
    }
    return true;
  }
  // Whoever builds an object that keeps its order compares each name with all before it.
  bool add_member() {
    ++members_;
    comparisons_ += members_at_[static_cast<std::size_t>(std::max(depth_, 0))]++;
    return comparisons_ <= most_comparisons_;
  }

  int depth_ = 0;
  std::size_t digits_ = 0;
  bool is_fraction_ = false;
  bool in_string_ = false;
  std::size_t members_ = 0;
  std::array<std::size_t, kMaxAnswerDepth + 1> members_at_{};  // of the open object, by depth
  std::size_t comparisons_ = 0;
  std::size_t most_comparisons_ = 0;
};

std::optional<Json> parse(std::string_view text) {
  auto value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return std::nullopt;
  }
  return value;
}

// NOLINTNEXTLINE(misc-no-recursion): the scan has bounded the depth
std::size_t count_members(const Json& value) {
  if (!value.is_structured()) {
    return 0;
  }
  const std::size_t own = value.is_object() ? value.size() : 0;
  return std::accumulate(value.begin(), value.end(), own, [](std::size_t sum, const Json& child) {
    return sum + count_members(child);
  });
}

}  // namespace

std::optional<Json> parse_answer_json(std::string_view text) {
  TextScan scan;
  if (!scan.scan(text)) {
    return std::nullopt;
  }
  auto value = parse(text);
  if (value && count_members(*value) != scan.members()) {
    return std::nullopt;  // of two members with one name the parser kept one
  }
  return value;
}

std::optional<Json> parse_request_json(std::string_view text) {
  return TextScan().scan(text) ? parse(text) : std::nullopt;
}

const Json& member_of(const Json& value, std::string_view name) {
  static const Json null;
  if (!value.is_object()) {
    return null;
  }
  const auto found = value.find(name);
  return found == value.end() ? null : *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::uint32_t> count_of(const Json& value) {
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return value.get<std::uint32_t>();
}

bool has_only(const Json& value, std::initializer_list<std::string_view> names) {
  if (!value.is_object()) {
    return false;
  }
  return std::all_of(value.items().begin(), value.items().end(), [&](const auto& member) {
    return std::find(names.begin(), names.end(), member.key()) != names.end();
  });
}

bool says_the_same(const Json& a, const Json& b) {
  return nlohmann::json(a) == nlohmann::json(b);
}

}  // namespace llm_edge_cache::proxy
