// A JSON text and its tree, in parser memory that a thread keeps from one text to the next.
#pragma once

#include <simdjson.h>

#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

[[nodiscard]] Error not_canonical_json(std::string_view reason);

// Belongs to the thread that parsed it, which has one at a time: it ends before another is parsed.
class ParsedJson {
 public:
  struct Member {
    std::string_view name;
    simdjson::dom::element value;
  };

  // Validates the whole text, which need not stay. Errors and memory are those of
  // canonical_json.hpp, but that an object may have a name twice.
  [[nodiscard]] static Result<ParsedJson> parse(std::string_view text);

  ParsedJson(ParsedJson&& other) noexcept;
  ParsedJson& operator=(ParsedJson&&) = delete;
  ~ParsedJson();

  [[nodiscard]] simdjson::dom::element root() const { return root_; }

  // Memory for members that somebody sorts; empty at first.
  [[nodiscard]] std::vector<Member>& members() const;

 private:
  explicit ParsedJson(simdjson::dom::element root) : root_(root) {}

  simdjson::dom::element root_;
  bool is_moved_from_ = false;
};

}  // namespace llm_edge_cache
