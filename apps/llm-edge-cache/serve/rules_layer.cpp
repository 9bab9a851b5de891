#include "serve/rules_layer.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <variant>

#include "base/parse_number.hpp"

namespace llm_edge_cache::app {

namespace {

using R = proxy::CacheRule;

// A member of a rule, and where its value goes.
struct Member {
  using Text = std::string R::*;
  using Trait = std::optional<bool> R::*;
  struct Number {
    std::optional<std::uint64_t> R::* field;
    std::uint64_t min = 0;
    std::uint64_t max = kMaxRuleSeconds;
    std::uint64_t factor = 1'000;
  };
  struct Never {};

  std::string_view key;
  std::variant<Text, Trait, Number, Never> field;
  std::string_view help;
};

constexpr auto kMembers = std::to_array<Member>({
    {"name", &R::name, "For people: `explain` prints it"},
    {"model", &R::model, "Matches the request's model; `*` is any text, `?` any one byte"},
    {"path", &R::path, "Matches the path, likewise"},
    {"temperature_above_zero", &R::samples,
     "true or false; a request that names no temperature is above zero, as its provider has it"},
    {"tools", &R::has_tools, "true or false: the request offers tools or functions"},
    {"stream", &R::is_streamed, "true or false: the answer is wanted as a stream"},
    {"cache", Member::Never{}, "never: neither looked up nor stored"},
    {"ttl_seconds", Member::Number{&R::ttl_ms, 1}, "Life of the answer"},
    {"max_ttl_seconds", Member::Number{&R::max_ttl_ms, 1},
     "The most that a request gets by `x-llm-cache-ttl`; else `ttl_seconds`"},
    {"stale_while_revalidate_seconds", Member::Number{&R::stale_while_revalidate_ms},
     "In place of `freshness.stale_while_revalidate_seconds`"},
    {"stale_if_error_seconds", Member::Number{&R::stale_if_error_ms},
     "In place of `freshness.stale_if_error_seconds`"},
    {"ttl_jitter_percent", Member::Number{&R::ttl_jitter_percent, 0, 100, 1},
     "In place of `freshness.ttl_jitter_percent`"},
});

Error invalid_rule(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string at(const std::string& file, const YAML::Mark& mark) {
  return fmt::format("{}:{}", file, mark.is_null() ? 1 : mark.line + 1);
}

// Sets a member from its text; what is expected where the text is not that.
class Assign {
 public:
  Assign(R& rule, const std::string& text) : rule_(rule), text_(text) {}

  std::string operator()(Member::Text field) const {
    if (text_.empty() || text_.size() > proxy::kMaxGlobBytes) {
      return fmt::format("text of 1 to {} bytes", proxy::kMaxGlobBytes);
    }
    rule_.*field = text_;
    return {};
  }
  std::string operator()(Member::Trait field) const {
    if (text_ != "true" && text_ != "false") return "true or false";
    rule_.*field = text_ == "true";
    return {};
  }
  std::string operator()(const Member::Number& number) const {
    const auto value = parse_number<std::uint64_t>(text_);
    if (!value || *value < number.min || *value > number.max) {
      return fmt::format("a whole number from {} to {}", number.min, number.max);
    }
    rule_.*number.field = *value * number.factor;
    return {};
  }
  std::string operator()(Member::Never /*field*/) const {
    if (text_ != "never") return "never";
    rule_.is_cached = false;
    return {};
  }

 private:
  R& rule_;
  const std::string& text_;
};

class RuleReader {
 public:
  RuleReader(const std::string& file, const YAML::Node& node, std::size_t index)
      : file_(file), node_(node), name_(fmt::format("{}[{}]", kRulesKey, index)) {}

  Result<ConfiguredRule> read() {
    const auto origin = fmt::format("{}: {}", at(file_, node_.Mark()), name_);
    if (!node_.IsMap()) return invalid_rule(origin + " must be a mapping");
    for (const auto& member : node_) {
      if (auto status = read_member(member.first, member.second); !status) return status.error();
    }
    // Beside what each member may be, the rule must make sense alone; what it leaves out always
    // does.
    if (const auto status = proxy::CacheRules::validate({}, {rule_}); !status) {
      return invalid_rule(origin + contradiction());
    }
    return ConfiguredRule{std::move(rule_), origin};
  }

 private:
  Status read_member(const YAML::Node& key, const YAML::Node& value) {
    const auto origin = fmt::format("{}: {}", at(file_, key.Mark()), name_);
    if (!key.IsScalar()) return invalid_rule(origin + ": a key must be text");
    const auto& text = key.Scalar();
    const auto* const member = std::ranges::find(kMembers, text, &Member::key);
    if (member == kMembers.end())
      return invalid_rule(fmt::format("{}: unknown key '{}'", origin, text));
    if (!seen_.insert(text).second) {
      return invalid_rule(fmt::format("{}.{} is given twice", origin, text));
    }
    if (!value.IsScalar()) {
      return invalid_rule(fmt::format("{}.{} must be a single value", origin, text));
    }
    const auto expected = std::visit(Assign(rule_, value.Scalar()), member->field);
    if (expected.empty()) return {};
    return invalid_rule(
        fmt::format("{}.{}: '{}' is not {}", origin, text, value.Scalar(), expected));
  }

  [[nodiscard]] std::string contradiction() const {
    return rule_.is_cached ? ".max_ttl_seconds: must be at least ttl_seconds"
                           : ".cache: what is never cached has neither a life nor a window";
  }

  const std::string& file_;
  const YAML::Node& node_;
  const std::string name_;
  R rule_;
  std::set<std::string> seen_;
};

}  // namespace

Result<std::vector<ConfiguredRule>> read_rules(const YAML::Node& list, const std::string& file) {
  if (!list.IsSequence()) {
    return invalid_rule(fmt::format("{}: '{}' must be a list", at(file, list.Mark()), kRulesKey));
  }
  if (list.size() > proxy::kMaxRules) {
    return invalid_rule(fmt::format("{}: '{}' has more than {} rules", at(file, list.Mark()),
                                    kRulesKey, proxy::kMaxRules));
  }
  std::vector<ConfiguredRule> rules;
  for (const auto& node : list) {
    auto rule = RuleReader(file, node, rules.size() + 1).read();
    if (!rule) return rule.error();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

std::string rules_markdown() {
  std::string out = fmt::format(
      "\n## Rules\n\n"
      "The file can hold a list `rules`, of at most {} mappings. The first rule that matches a "
      "request decides about its answer; a rule matches where everything that it names does, and "
      "what it leaves out is as without it. docs/guide.md has an example, `llm-edge-cache explain` "
      "says which rule a request meets.\n\n"
      "| key | what it is |\n|---|---|\n",
      proxy::kMaxRules);
  for (const auto& member : kMembers) {
    out += fmt::format("| `{}` | {} |\n", member.key, member.help);
  }
  return out;
}

}  // namespace llm_edge_cache::app
