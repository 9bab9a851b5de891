// What the simulated provider answers, and what its endpoints have in common.
//
// Every answer is a function of the request: the same bytes for the same request, in every process.
// What only says how to deliver it (stream, stream_options, user, ..) changes neither text nor id.
//
// Models that misbehave on purpose: "mock-status-429" answers that status always, "mock-cut" closes
// the connection in the middle of its answer.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/key_digest.hpp"
#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::app {

inline constexpr std::int64_t kMockEpoch = 1'700'000'000;

struct MockReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  // An event each, or the whole body in one. Delivered in order, the first after the time to first
  // token, each other a token's time later.
  std::vector<std::string> pieces;
  std::uint64_t tokens = 0;  // of the longest choice: what the answer takes to write
  bool is_stream = false;
  bool cut_in_the_middle = false;
  std::uint64_t digest = 0;  // of the request; what errors by chance depend on

  [[nodiscard]] std::string body() const;
};

// Whose shape errors have.
enum class MockApi { kOpenAi, kAnthropic };

[[nodiscard]] MockReply mock_error(MockApi api, unsigned status, std::string_view message,
                                   std::string_view param = {});

// Whether the sequence-th request fails at that rate: the same for the same three, and close to the
// rate over many.
[[nodiscard]] bool mock_fails(double error_rate, std::uint64_t request_digest,
                              std::uint64_t sequence);

struct MockRequest {
  Json json;  // an object with a model
  std::string model;
  KeyDigest digest;

  [[nodiscard]] std::string id(std::string_view prefix) const;
  [[nodiscard]] std::int64_t created() const;
  [[nodiscard]] bool wants_stream() const { return json.value("stream", Json(false)) == true; }
  // A reply of this request, without pieces.
  [[nodiscard]] MockReply reply() const;
};

// The request, or the error that it deserves: no JSON, no model, a model that fails.
// delivery_members do not count in the digest.
[[nodiscard]] std::variant<MockRequest, MockReply> read_mock_request(
    MockApi api, std::string_view body, std::initializer_list<const char*> delivery_members);

// Null where there is none.
[[nodiscard]] const Json& mock_member(const Json& value, std::string_view name);

}  // namespace llm_edge_cache::app
