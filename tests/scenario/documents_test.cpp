// What the documents tell users to type is what the binary takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::IsEmpty;

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
  for (const auto* document : {"docs/guide.md", "docs/configuration.md", "docs/dialects.md",
                               "docs/architecture.md", "docs/format.md"}) {
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
