// Imports that cannot be read to their end, and exports that cannot be written to theirs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/scenario/transfer_fixture.hpp"
#include "tests/support/child_process.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// From 1 on.
std::vector<SampleLine> numbered(int count) {
  std::vector<SampleLine> samples;
  for (int i = 1; i <= count; ++i) samples.push_back({.number = i});
  return samples;
}

// Two lines that are whole, the one that is not, and one behind it.
class DamagedImportTest : public TransferTest {
 protected:
  static std::string around(const std::string& damaged) {
    return line_of({.number = 11}) + line_of({.number = 12}) + damaged + "\n" +
           line_of({.number = 13});
  }
  // What is said of it. The former entries stay, and so does what came before the line.
  std::string refusal(const Program& proxy, const std::string& damaged) {
    const auto ended = command(proxy, {"import"}, around(damaged));
    EXPECT_EQ(ended.status, 1) << damaged;
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.error, AllOf(HasSubstr("invalid_line: line 3: "),
                                   HasSubstr("2 entries were imported before it")));
    EXPECT_EQ(exported(proxy), (Numbers{1, 11, 12})) << damaged;
    return ended.error;
  }
};

TEST_F(DamagedImportTest, the_line_is_named_and_what_came_before_it_is_kept) {
  const auto proxy = started();
  said(proxy, {"import"}, line_of({.number = 1}));
  const auto whole = line_of({.number = 14});
  EXPECT_THAT(refusal(proxy, whole.substr(0, whole.size() / 2)), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(proxy, "\xFF\xFE\x01"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(proxy, "[" + whole.substr(0, whole.size() - 1) + "]"),
              HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(proxy, whole.substr(0, whole.size() - 1) + whole), HasSubstr("invalid_line"));
}

TEST_F(DamagedImportTest, a_line_of_somebody_elses_is_told_by_the_member_that_it_lacks) {
  const auto proxy = started();
  said(proxy, {"import"}, line_of({.number = 1}));
  EXPECT_THAT(refusal(proxy, R"({"prompt":"hello","completion":"world"})"),
              HasSubstr("'key' is missing"));
  auto entry = nlohmann::json::parse(line_of({.number = 14}));
  entry["expires_ms"] = "2030-01-01T00:00:00Z";
  EXPECT_THAT(refusal(proxy, entry.dump()), HasSubstr("'expires_ms' is not a whole number"));
  entry = nlohmann::json::parse(line_of({.number = 14}));
  entry["key"] = "14";
  EXPECT_THAT(refusal(proxy, entry.dump()), HasSubstr("'key' is not 64 hex digits"));
}

TEST_F(DamagedImportTest, a_file_that_was_cut_names_its_last_line) {
  const auto proxy = started();
  const auto whole = lines_of(numbered(5));
  std::ofstream(file("cut.jsonl")) << whole.substr(0, whole.size() - 20);
  const auto ended = command(proxy, {"import", file("cut.jsonl")});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.error, HasSubstr("invalid_line: line 5: "));
  EXPECT_EQ(exported(proxy), (Numbers{1, 2, 3, 4}));
}

TEST_F(DamagedImportTest, empty_lines_and_line_ends_of_other_systems_do_no_harm) {
  const auto proxy = started();
  auto line = line_of({.number = 1});
  line.insert(line.size() - 1, "\r");
  EXPECT_EQ(said(proxy, {"import"}, "\n\r\n" + line + "  \n" + line_of({.number = 2})),
            "{\"imported\":2,\"expired\":0,\"filtered\":0}\n");
  EXPECT_THAT(command(proxy, {"import"}, "\n\nx\n").error, HasSubstr("line 3: "));
}

// The reader has gone before the first byte is written: it says so through a second pipe.
class ClosedPipeTest : public TransferTest {
 protected:
  Ended export_into_closed_pipe(const Program& proxy, const std::string& before) {
    const std::string script =
        "mkfifo closed && " + before + " { read line <closed; '" LEC_BINARY "' export --admin " +
        proxy.url("admin") + "; echo \"ended with $?\" >&2; } | { exec <&-; echo >closed; }";
    ChildProcess shell(
        {.argv = {"sh", "-c", script}, .env = {}, .directory = dir_.path().string(), .input = {}});
    const auto status = shell.wait();
    return {.status = status.value_or(-1), .output = shell.output(), .error = shell.error_output()};
  }
};

TEST_F(ClosedPipeTest, an_export_that_nobody_reads_ends_as_other_programs_do) {
  const auto proxy = started();
  said(proxy, {"import"}, lines_of(numbered(5)));
  const auto ended = export_into_closed_pipe(proxy, "");
  EXPECT_THAT(ended.error, HasSubstr(fmt::format("ended with {}", 128 + SIGPIPE)));
  EXPECT_EQ(exported(proxy), (Numbers{1, 2, 3, 4, 5})) << "the proxy goes on";
}

TEST_F(ClosedPipeTest, where_the_signal_is_ignored_the_export_says_what_failed) {
  const auto proxy = started();
  said(proxy, {"import"}, lines_of(numbered(5)));
  const auto ended = export_into_closed_pipe(proxy, "trap '' PIPE;");
  EXPECT_THAT(ended.error,
              AllOf(HasSubstr("standard output: Broken pipe"), HasSubstr("ended with 1\n")));
}

TEST_F(TransferTest, a_disk_that_is_full_is_named_and_not_taken_for_the_proxys_fault) {
  const auto proxy = started();
  said(proxy, {"import"}, lines_of(numbered(5)));
  const auto ended = command(proxy, {"export", "--output", "/dev/full"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.error, HasSubstr("/dev/full: No space left on device"));
}

TEST_F(TransferTest, an_export_that_gets_no_answer_leaves_the_former_one_as_it_was) {
  std::ofstream(file("export")) << "of yesterday";
  const auto ended =
      run_program({"export", "--output", file("export"), "--admin", "http://127.0.0.1:1"});
  EXPECT_EQ(ended.status, 1);
  std::stringstream kept;
  kept << std::ifstream(file("export")).rdbuf();
  EXPECT_EQ(kept.str(), "of yesterday");
}

TEST_F(TransferTest, an_export_of_nothing_is_an_empty_file) {
  const auto proxy = started();
  std::ofstream(file("export")) << "of yesterday";
  said(proxy, {"export", "--output", file("export")});
  EXPECT_EQ(std::filesystem::file_size(file("export")), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::test
