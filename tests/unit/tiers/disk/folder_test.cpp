#include "tiers/disk/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::disk {
namespace {

using ::testing::HasSubstr;

class FolderMarkerTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string marker() const {
    std::ifstream in(path_ / kMarkerFile);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write_marker(const std::string& text) const {
    std::filesystem::create_directories(path_);
    std::ofstream(path_ / kMarkerFile) << text;
  }
  void expect_refused(ErrorCode code, const std::string& reason) const {
    const auto folder = Folder::acquire(path_);
    ASSERT_FALSE(folder.ok()) << reason;
    EXPECT_EQ(folder.error().code, code);
    EXPECT_THAT(folder.error().message, HasSubstr(reason));
  }

  test::TempDir directory_;
  const std::filesystem::path path_ = directory_.path() / "below" / "cache";
};

TEST_F(FolderMarkerTest, is_made_with_its_parents_for_its_owner_alone) {
  const auto folder = Folder::acquire(path_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->database(), path_ / "entries");
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((path_ / kMarkerFile).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(FolderMarkerTest, says_its_format_in_words_and_once) {
  {
    const auto first = Folder::acquire(path_);
  }
  {
    const auto second = Folder::acquire(path_);
  }
  EXPECT_EQ(marker(), "llm-edge-cache disk cache, format 1\n");
}

TEST_F(FolderMarkerTest, is_held_by_one_until_it_lets_go) {
  {
    const auto first = Folder::acquire(path_);
    ASSERT_TRUE(first.ok());
    expect_refused(ErrorCode::kUnavailable, "another process holds the folder '" + path_.string());
  }
  EXPECT_TRUE(Folder::acquire(path_).ok());
}

TEST_F(FolderMarkerTest, a_moved_one_holds_it_still) {
  auto first = Folder::acquire(path_);
  ASSERT_TRUE(first.ok());
  {
    const Folder moved = std::move(first).value();
    expect_refused(ErrorCode::kUnavailable, "another process");
  }
  EXPECT_TRUE(Folder::acquire(path_).ok());
}

TEST_F(FolderMarkerTest, a_marker_that_was_never_written_is_written_now) {
  write_marker("");
  ASSERT_TRUE(Folder::acquire(path_).ok());
  EXPECT_EQ(marker(), "llm-edge-cache disk cache, format 1\n");
}

TEST_F(FolderMarkerTest, a_marker_that_was_cut_is_ours) {
  write_marker("llm-edge-cache disk");
  EXPECT_TRUE(check_marker(path_).ok());
  EXPECT_TRUE(Folder::acquire(path_).ok());
}

TEST_F(FolderMarkerTest, another_format_or_a_longer_text_is_refused_and_left_as_it_is) {
  for (const std::string text :
       {"llm-edge-cache disk cache, format 2\n", "llm-edge-cache disk cache, format 1\nand more"}) {
    write_marker(text);
    expect_refused(ErrorCode::kInvalidArgument, "not of a format that this build knows");
    EXPECT_EQ(check_marker(path_).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(marker(), text);
  }
}

TEST_F(FolderMarkerTest, somebody_elses_files_are_refused_and_no_marker_is_left) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ / "holiday.jpg") << "a picture";
  expect_refused(ErrorCode::kInvalidArgument, "holds files that are not this cache's");
  EXPECT_FALSE(std::filesystem::exists(path_ / kMarkerFile));
}

TEST_F(FolderMarkerTest, what_the_system_refuses_is_told_with_its_reason) {
  std::ofstream(directory_.path() / "below") << "a file where a folder is to be";
  expect_refused(ErrorCode::kIo, "cannot make the folder");
  expect_refused(ErrorCode::kIo, "Not a directory");
}

TEST_F(FolderMarkerTest, a_marker_that_is_a_folder_cannot_be_opened) {
  std::filesystem::create_directories(path_ / kMarkerFile);
  expect_refused(ErrorCode::kIo, "cannot open");
}

TEST_F(FolderMarkerTest, no_marker_is_nothing_against_a_folder) {
  EXPECT_TRUE(check_marker(path_).ok());
}

}  // namespace
}  // namespace llm_edge_cache::disk
