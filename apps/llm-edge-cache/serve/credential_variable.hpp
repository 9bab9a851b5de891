// Credentials of upstreams, which come from the environment.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// As in a secret's file, a line end behind it is not part of it.
[[nodiscard]] inline std::string without_line_end(std::string secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

[[nodiscard]] inline bool looks_like_variable(std::string_view name) {
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// What the variable holds. The error repeats no text that may be the credential itself.
[[nodiscard]] inline Result<std::string> read_credential(const std::string& variable) {
  const char* text = std::getenv(variable.c_str());
  auto credential = without_line_end(text == nullptr ? "" : text);
  if (!credential.empty()) return credential;
  return Error{ErrorCode::kInvalidArgument,
               looks_like_variable(variable)
                   ? fmt::format("the environment has no {}", variable)
                   : "this is not the name of a variable: the credential itself stays in the "
                     "environment, and its name stands here"};
}

}  // namespace llm_edge_cache::app
