// The operator's rules: which requests are cached, for how long, and how stale an answer may be.
//
// A rule matches where everything that it names does; the first that matches decides. Where none
// does, the defaults decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::size_t kMaxRules = 256;
inline constexpr std::size_t kMaxGlobBytes = 256;
// Of a life and of a window. A hundred years: beyond it times may not fit.
inline constexpr std::uint64_t kLongestLifeMs = 100ULL * 366 * 24 * 3'600 * 1'000;

// What a rule looks at.
struct RequestTraits {
  std::string model = {};  // empty where the request names none
  std::string path = {};
  bool samples = true;  // temperature above zero, or left to the provider, whose default is
  bool has_tools = false;
  bool is_streamed = false;

  friend bool operator==(const RequestTraits&, const RequestTraits&) = default;
};

// What becomes of the answers to a request.
struct CachePolicy {
  bool is_cached = true;
  std::uint64_t ttl_ms = 3'600'000;
  std::uint64_t max_ttl_ms = 3'600'000;  // the most that a request may ask for
  // How long after its life an answer may be served at once while it is asked for anew, and how
  // long where the provider fails (RFC 5861). 0: not at all.
  std::uint64_t stale_while_revalidate_ms = 0;
  std::uint64_t stale_if_error_ms = 0;
  // Lives are shortened by up to this part, by the key, so that what was stored together does not
  // end together.
  std::uint64_t ttl_jitter_percent = 0;

  // How long beyond its life an answer is kept.
  [[nodiscard]] std::uint64_t stale_ms() const;

  friend bool operator==(const CachePolicy&, const CachePolicy&) = default;
};

struct CacheRule {
  std::string name = {};  // for people; may be empty

  std::string model = {};  // glob: * is any text, ? any one byte; empty: any model
  std::string path = {};   // likewise
  std::optional<bool> samples = {};
  std::optional<bool> has_tools = {};
  std::optional<bool> is_streamed = {};

  bool is_cached = true;
  // What is left out is as the defaults have it; max_ttl_ms as ttl_ms.
  std::optional<std::uint64_t> ttl_ms = {};
  std::optional<std::uint64_t> max_ttl_ms = {};
  std::optional<std::uint64_t> stale_while_revalidate_ms = {};
  std::optional<std::uint64_t> stale_if_error_ms = {};
  std::optional<std::uint64_t> ttl_jitter_percent = {};

  [[nodiscard]] bool matches(const RequestTraits& traits) const;

  friend bool operator==(const CacheRule&, const CacheRule&) = default;
};

// Linear in the text for every star, so at most kMaxGlobBytes times its length.
[[nodiscard]] bool glob_matches(std::string_view glob, std::string_view text);

// Immutable; thread-safe.
class CacheRules {
 public:
  using Index = std::uint16_t;  // of a rule, or none()

  CacheRules(const CachePolicy& defaults, std::vector<CacheRule> rules);

  // kInvalidArgument names the rule, counted from 1, and its field.
  [[nodiscard]] static Status validate(const CachePolicy& defaults,
                                       const std::vector<CacheRule>& rules);

  [[nodiscard]] bool empty() const { return rules_.empty(); }
  [[nodiscard]] Index none() const { return static_cast<Index>(rules_.size()); }
  [[nodiscard]] Index match(const RequestTraits& traits) const;
  [[nodiscard]] const CachePolicy& policy(Index index) const { return policies_[index]; }
  // Null for none().
  [[nodiscard]] const CacheRule* rule(Index index) const;

 private:
  std::vector<CacheRule> rules_;
  std::vector<CachePolicy> policies_;  // of the rules, then the defaults
};

}  // namespace llm_edge_cache::proxy
