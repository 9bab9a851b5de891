#include "proxy/dialects/answer_json.hpp"

#include <algorithm>
#include <limits>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::size_t kMaxIntegerDigits = 18;  // every such number is an int64

// What JSON's grammar does not bound, looked at before anything is built. Whether brackets match is
// the parser's business.
class TextScan {
 public:
  // False where the text is beyond our bounds.
  bool scan(std::string_view text) {
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
      return ++depth_ <= kMaxAnswerDepth;
    } else if (c == ']' || c == '}') {
      --depth_;
    }
    return true;
  }

  int depth_ = 0;
  std::size_t digits_ = 0;
  bool is_fraction_ = false;
  bool in_string_ = false;
};

}  // namespace

std::optional<Json> parse_answer_json(std::string_view text) {
  if (!TextScan().scan(text)) {
    return std::nullopt;
  }
  auto value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return std::nullopt;
  }
  return value;
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
