// The one table of options behind flags, environment, file and documentation.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "llm_edge_cache/result.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

struct Option {
  using Field = std::variant<std::string ServeConfig::*, std::uint64_t ServeConfig::*>;

  // "l1-capacity": the flag --l1-capacity and the variable LLM_EDGE_CACHE_L1_CAPACITY.
  std::string_view name;
  std::string_view yaml_key;  // "l1.capacity": member capacity of the mapping l1
  Field field;
  std::string_view unit;  // empty for text
  std::string_view help;
  std::span<const std::string_view> choices = {};  // empty: any text
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint32_t>::max();
  // A secret has no flag (a process list shows flags) and no place in a file with the rest.
  bool environment_only = false;

  [[nodiscard]] std::string flag() const;
  [[nodiscard]] std::string variable() const;
  // What an error calls it: the flag, or the variable where there is none.
  [[nodiscard]] std::string label() const;
};

// In the order of the documentation.
[[nodiscard]] std::span<const Option> serve_options();

// Parses `text` into the option's field. `origin` says where the text stands ("proxy.yaml:3:
// l1.capacity", "--l1-capacity") and opens the message of an error.
Status assign(ServeConfig& config, const Option& option, std::string_view text,
              std::string_view origin);

// What a part of the proxy complains of, by its fields ("l2.ttl_ms must be .."), with the labels of
// their options ("--l2-ttl-seconds must be .."). Nothing behind a quote, which is the operator's.
[[nodiscard]] std::string in_flags(std::string_view complaint);

[[nodiscard]] std::string default_text(const Option& option);

// docs/configuration.md, whole.
[[nodiscard]] std::string options_markdown();

}  // namespace llm_edge_cache::app
