// The question: everything that decides what a model answers.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace llm_edge_cache {

// JSON that the caller has already written, such as a list of tools. It is checked and put into
// canonical form when the key is made.
struct JsonText {
  std::string text;
};

// A value type: copy it, keep it, share it between threads while nobody writes.
//
//   auto request = CacheableRequest("gpt-4o", "What is a bloom filter?")
//                      .with_temperature(0.7)
//                      .with_max_tokens(256)
//                      .with_parameter("top_p", 0.9);
//
// Two requests that are equal have the same key (key.hpp); what is not set differs from everything
// that can be set. Setters never fail: a value that cannot be part of a key (NaN, malformed JSON)
// is reported by the call that needs the key.
class CacheableRequest {
 public:
  CacheableRequest(std::string model, std::string prompt)
      : model_(std::move(model)), prompt_(std::move(prompt)) {}

  // Rounded to two decimals in the key; must be finite.
  CacheableRequest& with_temperature(double temperature) & {
    temperature_ = temperature;
    return *this;
  }
  CacheableRequest& with_max_tokens(std::uint32_t max_tokens) & {
    max_tokens_ = max_tokens;
    return *this;
  }
  // The tenant; requests of different namespaces never share an answer. Overrides the manager's.
  CacheableRequest& with_namespace(std::string name) & {
    namespace_ = std::move(name);
    return *this;
  }
  // A later value for the same name replaces the earlier one. Order does not matter.
  CacheableRequest& with_parameter(std::string name, JsonText json) & {
    parameters_.insert_or_assign(std::move(name), std::move(json.text));
    return *this;
  }
  CacheableRequest& with_parameter(std::string name, std::string_view value) &;
  CacheableRequest& with_parameter(std::string name, double value) &;
  template <std::integral Integer>
  CacheableRequest& with_parameter(std::string name, Integer value) & {
    if constexpr (std::same_as<Integer, bool>) {
      return with_parameter(std::move(name), JsonText{value ? "true" : "false"});
    } else {
      return with_parameter(std::move(name), JsonText{std::to_string(value)});
    }
  }
  CacheableRequest& with_parameter(std::string name, const char* value) & {
    return with_parameter(std::move(name), std::string_view(value));
  }

  // The same on a temporary, so that a chain makes a value.
  CacheableRequest&& with_temperature(double temperature) && {
    return std::move(with_temperature(temperature));
  }
  CacheableRequest&& with_max_tokens(std::uint32_t max_tokens) && {
    return std::move(with_max_tokens(max_tokens));
  }
  CacheableRequest&& with_namespace(std::string name) && {
    return std::move(with_namespace(std::move(name)));
  }
  template <class Value>
  CacheableRequest&& with_parameter(std::string name, Value&& value) && {
    return std::move(with_parameter(std::move(name), std::forward<Value>(value)));
  }

  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& prompt() const { return prompt_; }
  [[nodiscard]] std::optional<double> temperature() const { return temperature_; }
  [[nodiscard]] std::optional<std::uint32_t> max_tokens() const { return max_tokens_; }
  [[nodiscard]] const std::optional<std::string>& name_space() const { return namespace_; }
  // Name to JSON text, sorted by name.
  [[nodiscard]] const std::map<std::string, std::string>& parameters() const { return parameters_; }

 private:
  std::string model_;
  std::string prompt_;
  std::optional<double> temperature_;
  std::optional<std::uint32_t> max_tokens_;
  std::optional<std::string> namespace_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace llm_edge_cache
