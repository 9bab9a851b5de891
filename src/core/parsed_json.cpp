#include "core/parsed_json.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "core/canonical_json.hpp"

namespace llm_edge_cache {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMinCapacity = 4096;
constexpr std::size_t kMaxKeptCapacity = 1U << 20U;

std::string_view reason(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return "there is no text";
    case simdjson::DEPTH_ERROR:
      return "it is nested too deeply";
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or out of range";
    case simdjson::STRING_ERROR:
      return "a string has an invalid escape or a lone surrogate";
    case simdjson::UNESCAPED_CHARS:
      return "a string has a control character";
    case simdjson::UNCLOSED_STRING:
      return "a string does not end";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "a word is not true, false or null";
    default:
      return "its structure is broken";
  }
}

// A thread's own.
class Workspace {
 public:
  [[nodiscard]] static Workspace& of_this_thread() {
    thread_local Workspace workspace;
    return workspace;
  }

  [[nodiscard]] Result<dom::element> parse(std::string_view text) {
    assert(!is_used_ && "another ParsedJson of this thread lives still");
    if (!reserve(text.size())) {
      return Error{ErrorCode::kTooLarge, "the JSON text is too large to parse"};
    }
    if (!text.empty()) {
      std::memcpy(padded_.get(), text.data(), text.size());
    }
    std::memset(padded_.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    dom::element root;
    const auto error = parser_.parse(padded_.get(), text.size(), false).get(root);
    if (error != simdjson::SUCCESS) {
      return not_canonical_json(reason(error));
    }
    is_used_ = true;
    return root;
  }

  [[nodiscard]] std::vector<ParsedJson::Member>& members() { return members_; }

  // For the next text. Gives the memory of an unusually large one back.
  void clear() {
    is_used_ = false;
    if (capacity_ > kMaxKeptCapacity) {
      *this = Workspace();
    } else {
      members_.clear();
    }
  }

 private:
  [[nodiscard]] bool reserve(std::size_t bytes) {
    if (padded_ != nullptr && bytes <= capacity_) {
      return true;
    }
    if (bytes > simdjson::SIMDJSON_MAXSIZE_BYTES) {
      return false;
    }
    const auto capacity = std::min(std::max(kMinCapacity, std::bit_ceil(bytes)),
                                   std::size_t{simdjson::SIMDJSON_MAXSIZE_BYTES});
    if (parser_.allocate(capacity, kMaxJsonDepth) != simdjson::SUCCESS ||
        parser_.doc.allocate(capacity) != simdjson::SUCCESS) {
      *this = Workspace();
      return false;
    }
    padded_.reset(new char[capacity + simdjson::SIMDJSON_PADDING]);
    capacity_ = capacity;
    return true;
  }

  bool is_used_ = false;  // by a ParsedJson
  std::size_t capacity_ = 0;
  std::unique_ptr<char[]> padded_;  // the text, with the padding that simdjson reads beyond it
  dom::parser parser_;
  std::vector<ParsedJson::Member> members_;
};

}  // namespace

Error not_canonical_json(std::string_view reason) {
  return {ErrorCode::kInvalidArgument, "not canonical JSON: " + std::string(reason)};
}

Result<ParsedJson> ParsedJson::parse(std::string_view text) {
  auto& workspace = Workspace::of_this_thread();
  const auto root = workspace.parse(text);
  if (!root.ok()) {
    workspace.clear();
    return root.error();
  }
  return ParsedJson(*root);
}

ParsedJson::ParsedJson(ParsedJson&& other) noexcept
    : root_(other.root_), is_moved_from_(std::exchange(other.is_moved_from_, true)) {}

ParsedJson::~ParsedJson() {
  if (!is_moved_from_) {
    Workspace::of_this_thread().clear();
  }
}

std::vector<ParsedJson::Member>& ParsedJson::members() const {
  return Workspace::of_this_thread().members();
}

}  // namespace llm_edge_cache
