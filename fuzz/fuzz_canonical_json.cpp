// Canonical JSON against nlohmann's parser: both accept the same texts, but for the differences
// listed in Facts, and the canonical text is the same value and its own canonical form.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/canonical_json.hpp"
#include "fuzz/fuzz_check.hpp"

namespace llm_edge_cache {
namespace {

using Json = nlohmann::json;

// Why canonical JSON refuses a text that the oracle accepts.
class Facts final : public Json::json_sax_t {
 public:
  [[nodiscard]] bool is_refused_on_purpose() const {
    return name_twice_ || integer_too_large_ || deepest_ > kMaxJsonDepth;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t& text) override {
    integer_too_large_ |= text.find_first_of(".eE") == std::string::npos;
    return true;
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool key(string_t& name) override {
    name_twice_ |= !names_.back().insert(name).second;
    return true;
  }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool open() {
    names_.emplace_back();
    deepest_ = std::max(deepest_, names_.size());
    return true;
  }
  bool close() {
    names_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> names_;
  std::size_t deepest_ = 0;
  bool name_twice_ = false;
  bool integer_too_large_ = false;
};

void check_refused(std::string_view text) {
  // The oracle skips a byte order mark and takes a zero byte for the end.
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos) {
    return;
  }
  Facts facts;
  const bool oracle_accepts = Json::sax_parse(text, &facts);
  fuzz_check(!oracle_accepts || facts.is_refused_on_purpose(), "valid JSON was refused");
}

void check_accepted(std::string_view text, const std::string& canonical) {
  const auto value = Json::parse(text, nullptr, false);
  fuzz_check(!value.is_discarded(), "invalid JSON was accepted");
  fuzz_check(Json::parse(canonical, nullptr, false) == value, "the value has changed");
  const auto again = canonical_json(canonical);
  fuzz_check(again.ok() && *again == canonical, "canonical text has another canonical form");
}

void check_dropping(std::string_view text) {
  const std::vector<std::string> dropped = {"a", "user"};
  const auto result = canonical_json(text, {.dropped_members = dropped, .require_object = true});
  auto value = Json::parse(text, nullptr, false);
  fuzz_check(result.ok() == value.is_object(), "only objects are accepted where one is required");
  if (result.ok()) {
    value.erase("a");
    value.erase("user");
    fuzz_check(Json::parse(*result, nullptr, false) == value, "other members were dropped");
  }
}

}  // namespace
}  // namespace llm_edge_cache

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = canonical_json(text);
  if (!result.ok()) {
    check_refused(text);
    return 0;
  }
  check_accepted(text, *result);
  check_dropping(text);
  return 0;
}
