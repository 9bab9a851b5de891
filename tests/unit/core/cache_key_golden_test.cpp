// Keys that must never change by accident: a changed key empties every cache there is.
// tests/golden/cache_keys.json was made from docs/format.md by other means than this library.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache {
namespace {

using Json = nlohmann::json;

Json load_golden() {
  std::ifstream file(LEC_SOURCE_DIR "/tests/golden/cache_keys.json");
  return Json::parse(file);
}

CacheableRequest make_request(const Json& golden) {
  CacheableRequest request(golden.at("model"), golden.at("prompt"));
  if (golden.contains("temperature")) {
    request.with_temperature(golden["temperature"]);
  }
  if (golden.contains("max_tokens")) {
    request.with_max_tokens(golden["max_tokens"]);
  }
  if (golden.contains("namespace")) {
    request.with_namespace(golden["namespace"]);
  }
  const auto parameters = golden.value("parameters", Json::object());
  for (const auto& [name, json] : parameters.items()) {
    request.with_parameter(name, JsonText{json.get<std::string>()});
  }
  return request;
}

TEST(CacheKeyGoldenTest, keys_are_the_pinned_ones) {
  const auto golden = load_golden();
  ASSERT_GE(golden.size(), 10U);
  for (const auto& one : golden) {
    const auto key = generate_cache_key(make_request(one.at("request")));
    ASSERT_TRUE(key.ok()) << one.at("name");
    EXPECT_EQ(*key, one.at("key").get<std::string>()) << one.at("name");
  }
}

}  // namespace
}  // namespace llm_edge_cache
