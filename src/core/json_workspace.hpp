// The parser memory that a thread keeps from one JSON text to the next.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

[[nodiscard]] Error not_canonical_json(std::string_view reason);

// One thread at a time.
class JsonWorkspace {
 public:
  // The calling thread's own. Whoever parses in it is done with the tree before anybody else on the
  // thread parses, and calls shrink() then.
  [[nodiscard]] static JsonWorkspace& of_this_thread();

  struct Member {
    std::string_view name;
    simdjson::dom::element value;
  };

  // Validates the whole text. The tree lives until the next call.
  [[nodiscard]] Result<simdjson::dom::element> parse(std::string_view text);

  // Empty after parse(); for the members of the objects that are being written.
  [[nodiscard]] std::vector<Member>& members() { return members_; }

  // Gives the memory of an unusually large text back.
  void shrink();

 private:
  [[nodiscard]] bool reserve(std::size_t bytes);

  std::size_t capacity_ = 0;
  std::unique_ptr<char[]> padded_;  // the text, with the padding that simdjson reads beyond it
  simdjson::dom::parser parser_;
  std::vector<Member> members_;
};

}  // namespace llm_edge_cache
