// Checks that option structs share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

struct PositiveOption {
  std::string_view name;
  long long value;
};

// kInvalidArgument names the first option that is not positive.
[[nodiscard]] inline Status check_positive(std::initializer_list<PositiveOption> options) {
  for (const PositiveOption& option : options) {
    if (option.value <= 0) {
      return Error{ErrorCode::kInvalidArgument, std::string(option.name) + " must be positive"};
    }
  }
  return {};
}

}  // namespace llm_edge_cache::http
