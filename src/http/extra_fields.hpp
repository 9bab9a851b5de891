// What a handler has every answer to a request say, whoever makes that answer.
#pragma once

#include <string_view>

#include "http/field_lines.hpp"

namespace llm_edge_cache::http {

struct ExtraFields {
  FieldLines lines;
  // Fields of a ResponseHead whose names begin so, case ignored, are left out; empty: none. What is
  // sent as FieldLines is its maker's own, and stays.
  std::string_view replaces = {};
};

}  // namespace llm_edge_cache::http
