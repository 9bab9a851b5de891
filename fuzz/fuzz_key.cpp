// Two requests share a key exactly where they say the same.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/cache_key.hpp"
#include "core/canonical_json.hpp"
#include "fuzz/fuzz_check.hpp"

namespace llm_edge_cache {
namespace {

void add_parameter(FuzzedDataProvider& data, CacheableRequest& request) {
  auto name = data.ConsumeRandomLengthString(4);
  switch (data.ConsumeIntegralInRange(0, 4)) {
    case 0:
      request.with_parameter(std::move(name), data.ConsumeIntegralInRange<std::int64_t>(-3, 3));
      return;
    case 1:
      request.with_parameter(std::move(name), data.ConsumeIntegralInRange(-3, 3) / 2.0);
      return;
    case 2:
      request.with_parameter(std::move(name), data.ConsumeBool());
      return;
    case 3:
      request.with_parameter(std::move(name), std::string_view(data.ConsumeRandomLengthString(8)));
      return;
    default:
      request.with_parameter(std::move(name), JsonText{data.ConsumeRandomLengthString(16)});
  }
}

CacheableRequest make_request(FuzzedDataProvider& data) {
  auto model = data.ConsumeRandomLengthString(8);
  CacheableRequest request(std::move(model), data.ConsumeRandomLengthString(4'000));
  if (data.ConsumeBool()) {
    request.with_temperature(data.ConsumeIntegralInRange(-20, 20) / 1000.0);
  }
  if (data.ConsumeBool()) {
    request.with_max_tokens(data.ConsumeIntegralInRange<std::uint32_t>(0, 3));
  }
  if (data.ConsumeBool()) {
    request.with_namespace(data.ConsumeRandomLengthString(4));
  }
  for (auto count = data.ConsumeIntegralInRange(0, 3); count > 0; --count) {
    add_parameter(data, request);
  }
  return request;
}

using Meaning =
    std::tuple<std::string, std::string, std::optional<long>, std::optional<std::uint32_t>,
               std::string, std::map<std::string, std::string>>;

// What a request says; nothing where it has no key.
std::optional<Meaning> meaning(const CacheableRequest& request) {
  std::optional<long> hundredths;
  if (const auto temperature = request.temperature()) {
    hundredths = std::lround(*temperature * 100);
  }
  std::map<std::string, std::string> parameters;
  for (const auto& [name, json] : request.parameters()) {
    const auto canonical = canonical_json(json);
    if (!canonical.ok()) {
      return std::nullopt;
    }
    parameters[name] = *canonical;
  }
  return Meaning{request.model(),
                 request.prompt(),
                 hundredths,
                 request.max_tokens(),
                 request.name_space().value_or(""),
                 std::move(parameters)};
}

}  // namespace
}  // namespace llm_edge_cache

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace llm_edge_cache;
  FuzzedDataProvider data(bytes, size);
  const auto left = make_request(data);
  const auto right = make_request(data);
  const auto left_key = cache_key(left, "");
  const auto right_key = cache_key(right, "");
  const auto left_meaning = meaning(left);
  const auto right_meaning = meaning(right);
  fuzz_check(left_key.ok() == left_meaning.has_value(), "key and canonical JSON disagree");
  fuzz_check(right_key.ok() == right_meaning.has_value(), "key and canonical JSON disagree");
  if (left_key.ok() && right_key.ok()) {
    fuzz_check((*left_key == *right_key) == (*left_meaning == *right_meaning),
               "keys are equal where requests differ, or the other way round");
  }
  return 0;
}
