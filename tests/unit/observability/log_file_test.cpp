#include "observability/log_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::observability {
namespace {

using ::testing::HasSubstr;

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class LogFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name = "a.log") const {
    return (directory_.path() / name).string();
  }

  test::TempDir directory_;
};

TEST_F(LogFileTest, appends_to_what_is_there_and_makes_the_folders_that_are_not) {
  for (int run = 0; run < 2; ++run) {
    const auto file = LogFile::open(path("of/a/service/a.log"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->append("line\n").ok());
  }
  EXPECT_EQ(text_of(path("of/a/service/a.log")), "line\nline\n");
}

TEST_F(LogFileTest, opened_anew_it_leaves_the_one_that_was_moved_away) {
  const auto file = LogFile::open(path());
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->append("1\n").ok());
  std::filesystem::rename(path(), path("a.log.1"));
  EXPECT_TRUE((*file)->append("2\n").ok());
  EXPECT_TRUE((*file)->reopen().ok());
  EXPECT_TRUE((*file)->append("3\n").ok());
  EXPECT_EQ(text_of(path("a.log.1")), "1\n2\n");
  EXPECT_EQ(text_of(path()), "3\n");
}

TEST_F(LogFileTest, what_cannot_be_opened_anew_changes_nothing) {
  const auto file = LogFile::open(path());
  ASSERT_TRUE(file.ok());
  std::filesystem::rename(path(), path("a.log.1"));
  std::filesystem::create_directory(path());
  const auto status = (*file)->reopen();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, HasSubstr("cannot open " + path() + ": "));
  EXPECT_TRUE((*file)->append("1\n").ok());
  EXPECT_EQ(text_of(path("a.log.1")), "1\n");
}

TEST_F(LogFileTest, a_pipe_that_nobody_reads_holds_nobody_up) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_FALSE(LogFile::open(path()).ok());
}

TEST_F(LogFileTest, a_full_disk_is_an_error_that_names_the_file) {
  const auto file = LogFile::open("/dev/full");
  ASSERT_TRUE(file.ok());
  const auto status = (*file)->append("line\n");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("cannot write /dev/full: "));
}

// A disk that takes no more than so many bytes of a file.
class Quota {
 public:
  explicit Quota(rlim_t bytes) : former_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &former_);
    auto limit = former_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~Quota() {
    ::setrlimit(RLIMIT_FSIZE, &former_);
    (void)std::signal(SIGXFSZ, former_signal_);
  }
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

 private:
  void (*former_signal_)(int);
  rlimit former_{};
};

TEST_F(LogFileTest, a_line_that_was_cut_short_spoils_no_other) {
  const auto file = LogFile::open(path());
  ASSERT_TRUE(file.ok());
  {
    const Quota quota(7);
    EXPECT_TRUE((*file)->append("one\n").ok());
    EXPECT_FALSE((*file)->append("two two\n").ok());
    EXPECT_FALSE((*file)->append("three\n").ok());
  }
  EXPECT_TRUE((*file)->append("four\n").ok());
  EXPECT_TRUE((*file)->append("five\n").ok());
  EXPECT_EQ(text_of(path()), "one\ntwo\nfour\nfive\n");
}

}  // namespace
}  // namespace llm_edge_cache::observability
