#include "core/canonical_json.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.hpp"
#include "core/parsed_json.hpp"

namespace llm_edge_cache {
namespace {

namespace dom = simdjson::dom;

using Member = ParsedJson::Member;

// The one member whose object keeps its order: a JSON schema says by it in which order a model is
// to write.
constexpr std::string_view kOrderedMember = "properties";

// By UTF-16 code units, for valid UTF-8: its bytes sort alike but for the characters beyond the
// basic plane (first byte 0xF0 and more), whose surrogates come before U+E000 to U+FFFF (first byte
// 0xEE and 0xEF).
bool utf16_less(const Member& left, const Member& right) {
  const auto length = std::min(left.name.size(), right.name.size());
  const auto [l, r] =
      std::mismatch(left.name.begin(), left.name.begin() + static_cast<std::ptrdiff_t>(length),
                    right.name.begin());
  if (r == right.name.begin() + static_cast<std::ptrdiff_t>(length)) {
    return left.name.size() < right.name.size();
  }
  const auto a = static_cast<unsigned char>(*l);
  const auto b = static_cast<unsigned char>(*r);
  if (a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0)) {
    return a >= 0xF0;
  }
  return a < b;
}

enum class MemberOrder : std::uint8_t { kSorted, kKept };

class Writer {
 public:
  // `members` is a stack that objects within objects share.
  Writer(std::string& out, std::vector<Member>& members) : out_(out), members_(members) {}

  // False where an object has a name twice; it is then duplicate().
  bool write(dom::element value, std::span<const std::string> dropped_members = {},
             MemberOrder order = MemberOrder::kSorted) {
    switch (value.type()) {
      case dom::element_type::OBJECT:
        return write_object(value.get_object().value_unsafe(), dropped_members, order);
      case dom::element_type::ARRAY:
        return write_array(value.get_array().value_unsafe());
      case dom::element_type::STRING:
        append_json_string(out_, value.get_string().value_unsafe());
        return true;
      case dom::element_type::INT64:
        append_json_number(out_, value.get_int64().value_unsafe());
        return true;
      case dom::element_type::UINT64:
        append_json_number(out_, value.get_uint64().value_unsafe());
        return true;
      case dom::element_type::DOUBLE:
        append_json_number(out_, value.get_double().value_unsafe());
        return true;
      case dom::element_type::BOOL:
        out_ += value.get_bool().value_unsafe() ? "true" : "false";
        return true;
      case dom::element_type::NULL_VALUE:
        out_ += "null";
        return true;
    }
    return true;
  }

  [[nodiscard]] std::string_view duplicate() const { return duplicate_; }

 private:
  bool write_array(dom::array array) {
    out_ += '[';
    bool first = true;
    for (const dom::element item : array) {
      if (!std::exchange(first, false)) {
        out_ += ',';
      }
      if (!write(item)) {
        return false;
      }
    }
    out_ += ']';
    return true;
  }

  bool write_object(dom::object object, std::span<const std::string> dropped_members,
                    MemberOrder order) {
    const auto begin = members_.size();
    for (const auto [name, value] : object) {
      members_.push_back({name, value});
    }
    const auto end = members_.size();
    const bool is_unique = order == MemberOrder::kSorted ? sort(begin) : sort_copy(begin);
    if (!is_unique) {
      return false;
    }
    out_ += '{';
    const auto start = out_.size();
    for (auto i = begin; i < end; ++i) {
      const auto member = members_[i];  // a copy: what is nested may move the stack
      const auto before = out_.size();
      out_ += before == start ? "" : ",";
      append_json_string(out_, member.name);
      out_ += ':';
      const bool keeps_order = member.name == kOrderedMember;
      if (!write(member.value, {}, keeps_order ? MemberOrder::kKept : MemberOrder::kSorted)) {
        return false;
      }
      if (std::ranges::find(dropped_members, member.name) != dropped_members.end()) {
        out_.resize(before);  // written all the same, so that it is validated
      }
    }
    out_ += '}';
    members_.resize(begin);
    return true;
  }

  // False where a name is there twice.
  bool sort(std::size_t begin) {
    const auto members = std::span(members_).subspan(begin);
    std::ranges::sort(members, utf16_less);
    const auto twice = std::ranges::adjacent_find(members, {}, &Member::name);
    if (twice == members.end()) {
      return true;
    }
    duplicate_ = twice->name;
    return false;
  }

  // The same of a copy, for the names alone.
  bool sort_copy(std::size_t begin) {
    const auto end = members_.size();
    for (auto i = begin; i < end; ++i) {
      members_.push_back(Member(members_[i]));  // may move the stack
    }
    const bool is_unique = sort(end);
    members_.resize(end);
    return is_unique;
  }

  std::string& out_;
  std::vector<Member>& members_;
  std::string_view duplicate_;
};

}  // namespace

Status append_canonical_json(std::string& out, const ParsedJson& json,
                             const CanonicalJsonOptions& options) {
  if (options.require_object && !json.root().is_object()) {
    return not_canonical_json("it is not an object");
  }
  const auto before = out.size();
  Writer writer(out, json.members());
  if (!writer.write(json.root(), options.dropped_members)) {
    out.resize(before);
    return not_canonical_json("an object has the name \"" + std::string(writer.duplicate()) +
                              "\" twice");
  }
  return {};
}

Status append_canonical_json(std::string& out, std::string_view text,
                             const CanonicalJsonOptions& options) {
  const auto json = ParsedJson::parse(text);
  return json.ok() ? append_canonical_json(out, *json, options) : json.error();
}

Result<std::string> canonical_json(std::string_view text, const CanonicalJsonOptions& options) {
  std::string out;
  out.reserve(text.size());
  if (const auto status = append_canonical_json(out, text, options); !status.ok()) {
    return status.error();
  }
  return out;
}

}  // namespace llm_edge_cache
