// What the documents tell users to type is what the binary takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "tests/scenario/program.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

std::string read_document(const std::string& name) {
  std::ifstream in(std::string(LEC_SOURCE_DIR) + "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> flags_in(const std::string& text) {
  static const std::regex kFlag("(^|[^A-Za-z0-9-])(--[a-z0-9][a-z0-9-]+)");
  std::set<std::string> flags;
  for (std::sregex_iterator match(text.begin(), text.end(), kFlag), end; match != end; ++match) {
    flags.insert((*match)[2]);
  }
  return flags;
}

std::set<std::string> flags_of_all_commands() {
  const std::vector<std::vector<std::string>> commands = {{},
                                                          {"serve"},
                                                          {"mock-provider"},
                                                          {"replay"},
                                                          {"key"},
                                                          {"explain"},
                                                          {"stats"},
                                                          {"simulate"},
                                                          {"purge"},
                                                          {"inspect"},
                                                          {"export"},
                                                          {"import"},
                                                          {"dict", "train"},
                                                          {"tenant", "new-key"}};
  std::set<std::string> flags;
  for (auto command : commands) {
    command.emplace_back("--help");
    flags.merge(flags_in(run_program(command).output));
  }
  return flags;
}

TEST(DocumentsTest, name_no_flag_that_there_is_none_of) {
  const auto known = flags_of_all_commands();
  for (const auto* document :
       {"docs/guide.md", "docs/configuration.md", "docs/dialects.md", "docs/architecture.md",
        "docs/format.md", "docs/metrics.md", "docs/errors.md"}) {
    std::set<std::string> unknown;
    for (const auto& flag : flags_in(read_document(document))) {
      if (!known.contains(flag)) unknown.insert(flag);
    }
    EXPECT_THAT(unknown, IsEmpty()) << document;
  }
}

TEST(DocumentsTest, leave_out_no_flag_of_serve) {
  auto missing = flags_in(run_program({"serve", "--help"}).output);
  for (const auto& flag : flags_in(read_document("docs/configuration.md"))) missing.erase(flag);
  missing.erase("--help");
  EXPECT_THAT(missing, IsEmpty());
}

// "429 tenant_rate_limit"
using ErrorCodes = std::set<std::string>;

// What the groups of each match say: a status and a code.
ErrorCodes errors_in(const std::string& text, const std::string& pattern) {
  const std::regex error(pattern);
  ErrorCodes found;
  for (std::sregex_iterator match(text.begin(), text.end(), error), end; match != end; ++match) {
    found.insert((*match)[1].str() + " " + (*match)[2].str());
  }
  return found;
}

ErrorCodes errors_of_proxy() {
  const auto source = read_document("src/proxy/proxy_error.cpp");
  auto errors = errors_in(source, "\\{(\\d{3}), \"([a-z_]+)\"");
  errors.merge(errors_in(source, "case (\\d{3}):\\s*return \"([a-z_]+)\""));
  errors.insert({"400 invalid_http_request", "500 internal"});  // of all other statuses
  return errors;
}

ErrorCodes errors_of_admin_api() {
  ErrorCodes errors;
  const std::filesystem::path folder(LEC_SOURCE_DIR "/apps/llm-edge-cache/serve");
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto name = file.path().filename().string();
    if (!name.starts_with("admin_") || !name.ends_with(".cpp")) continue;
    errors.merge(errors_in(read_document("apps/llm-edge-cache/serve/" + name),
                           "\\b(\\d{3}), \"([a-z_]+)\""));
  }
  errors.insert("405 method_not_allowed");  // has a head of its own
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    if (static_cast<ErrorCode>(code) == ErrorCode::kInvalidArgument) continue;
    errors.insert("503 " + std::string(to_string(static_cast<ErrorCode>(code))));
  }
  return errors;
}

// Of the tables' rows; one may name several codes.
ErrorCodes documented_errors(const std::string& text) {
  static const std::regex kRow("\\| (\\d{3}) \\| ([^|]*) \\|");
  static const std::regex kCode("`([a-z_]+)`");
  ErrorCodes found;
  for (std::sregex_iterator row(text.begin(), text.end(), kRow), end; row != end; ++row) {
    const auto codes = (*row)[2].str();
    for (std::sregex_iterator code(codes.begin(), codes.end(), kCode); code != end; ++code) {
      found.insert((*row)[1].str() + " " + (*code)[1].str());
    }
  }
  return found;
}

TEST(DocumentsTest, name_every_error_that_there_is_and_no_other) {
  const auto text = read_document("docs/errors.md");
  const auto admin = text.find("## The admin API");
  ASSERT_NE(admin, std::string::npos);
  EXPECT_THAT(errors_of_proxy(),
              IsSupersetOf({"429 tenant_rate_limit", "504 not_cached", "413 request_too_large"}));
  EXPECT_EQ(documented_errors(text.substr(0, admin)), errors_of_proxy());
  EXPECT_THAT(errors_of_admin_api(), IsSupersetOf({"403 foreign_host", "400 invalid_line"}));
  EXPECT_EQ(documented_errors(text.substr(admin)), errors_of_admin_api());
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// The configurations in a document, with digests where it says that one stands there.
std::vector<std::string> configurations_in(const std::string& text) {
  static const std::regex kBlock("```yaml\n([^`]*)```");
  static const std::regex kDigest("sha256:[^\"]*");
  std::vector<std::string> found;
  char digit = '1';
  for (std::sregex_iterator match(text.begin(), text.end(), kBlock), end; match != end; ++match) {
    auto block = (*match)[1].str();
    for (std::smatch digest; std::regex_search(block, digest, kDigest);) {
      block.replace(digest.position(), digest.length(), "SHA:" + std::string(64, digit++));
    }
    replace_all(block, "SHA:", "sha256:");
    found.push_back(block);
  }
  return found;
}

TEST(DocumentsTest, have_configurations_that_can_be_served) {
  for (const auto* variable :
       {"LOCAL_KEY", "TEAM_B_OPENAI_KEY", "LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL"}) {
    ::setenv(variable, "secret", 1);
  }
  const TempDir directory;
  const auto configurations = configurations_in(read_document("docs/guide.md"));
  EXPECT_GE(configurations.size(), 3U);
  for (const auto& text : configurations) {
    const auto file = (directory.path() / "proxy.yaml").string();
    std::ofstream(file) << text;
    const auto ended = run_program({"serve", "--check", "--config", file});
    EXPECT_EQ(ended.status, 0) << ended.error << text;
  }
  ::unsetenv("LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL");
}

}  // namespace
}  // namespace llm_edge_cache::test
