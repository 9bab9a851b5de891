#include "core/json_workspace.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "core/canonical_json.hpp"

namespace llm_edge_cache {
namespace {

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

}  // namespace

Error not_canonical_json(std::string_view reason) {
  return {ErrorCode::kInvalidArgument, "not canonical JSON: " + std::string(reason)};
}

JsonWorkspace& JsonWorkspace::of_this_thread() {
  thread_local JsonWorkspace workspace;
  return workspace;
}

Result<simdjson::dom::element> JsonWorkspace::parse(std::string_view text) {
  if (!reserve(text.size())) {
    return Error{ErrorCode::kTooLarge, "the JSON text is too large to parse"};
  }
  if (!text.empty()) {
    std::memcpy(padded_.get(), text.data(), text.size());
  }
  std::memset(padded_.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  members_.clear();
  simdjson::dom::element root;
  const auto error = parser_.parse(padded_.get(), text.size(), false).get(root);
  if (error != simdjson::SUCCESS) {
    return not_canonical_json(reason(error));
  }
  return root;
}

void JsonWorkspace::shrink() {
  if (capacity_ > kMaxKeptCapacity) {
    *this = JsonWorkspace();
  }
}

bool JsonWorkspace::reserve(std::size_t bytes) {
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
    *this = JsonWorkspace();
    return false;
  }
  padded_.reset(new char[capacity + simdjson::SIMDJSON_PADDING]);
  capacity_ = capacity;
  return true;
}

}  // namespace llm_edge_cache
