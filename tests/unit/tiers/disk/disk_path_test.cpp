#include "tiers/disk/disk_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.hpp"
#include "tiers/disk/folder.hpp"

namespace llm_edge_cache::disk {
namespace {

using test::TempDir;
using ::testing::HasSubstr;

TEST(DiskPathTest, is_what_follows_the_scheme_and_nothing_is_expanded) {
  EXPECT_EQ(parse_disk_url("disk:/var/cache/x").value(), "/var/cache/x");
  EXPECT_EQ(parse_disk_url("disk:relative/x").value(), "relative/x");
  EXPECT_EQ(parse_disk_url("disk:~/x").value(), "~/x");
  EXPECT_EQ(parse_disk_url("disk:a%20b").value(), "a%20b");
}

TEST(DiskPathTest, refuses_what_is_no_path) {
  EXPECT_THAT(parse_disk_url("disk:").error().message, HasSubstr("missing"));
  EXPECT_FALSE(parse_disk_url(std::string_view("disk:a\0b", 8)).ok());
  EXPECT_FALSE(parse_disk_url("redis://x").ok());
}

TEST(DiskPathTest, a_folder_may_be_missing_empty_or_ours) {
  const TempDir dir;
  EXPECT_TRUE(check_folder(dir.path()).ok());
  EXPECT_TRUE(check_folder(dir.path() / "a/b").ok());
  std::filesystem::create_directory(dir.path() / "lost+found");
  EXPECT_TRUE(check_folder(dir.path()).ok());
  {
    ASSERT_TRUE(Folder::acquire(dir.path()).ok());
  }
  std::ofstream(dir.path() / "else") << "x";
  EXPECT_TRUE(check_folder(dir.path()).ok());
}

TEST(FolderTest, is_held_by_one_at_a_time) {
  const TempDir dir;
  {
    const auto first = Folder::acquire(dir.path() / "a/b");
    ASSERT_TRUE(first.ok());
    const auto second = Folder::acquire(dir.path() / "a/b");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(second.error().message, HasSubstr("a/b"));
  }
  EXPECT_TRUE(Folder::acquire(dir.path() / "a/b").ok());
}

TEST(FolderTest, is_closed_to_other_users) {
  const TempDir dir;
  ASSERT_TRUE(Folder::acquire(dir.path() / "a").ok());
  EXPECT_EQ(std::filesystem::status(dir.path() / "a").permissions(),
            std::filesystem::perms::owner_all);
}

TEST(FolderTest, a_marker_that_was_cut_short_is_still_ours) {
  const TempDir dir;
  std::ofstream(dir.path() / "llm-edge-cache") << "llm-edge";
  EXPECT_TRUE(Folder::acquire(dir.path()).ok());
}

}  // namespace
}  // namespace llm_edge_cache::disk
