#include "tiers/disk/page_cache_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "tiers/disk/waiting.hpp"

namespace llm_edge_cache::disk {
namespace {

using rocksdb::IOStatus;

TEST(NoWaitScopeTest, holds_for_its_thread_while_it_lives) {
  EXPECT_TRUE(this_thread_may_wait());
  {
    const NoWaitScope no_wait;
    EXPECT_FALSE(this_thread_may_wait());
    bool other_may = false;
    std::thread([&other_may] { other_may = this_thread_may_wait(); }).join();
    EXPECT_TRUE(other_may);
  }
  EXPECT_TRUE(this_thread_may_wait());
}

class PageCacheFilesTest : public ::testing::Test {
 protected:
  PageCacheFilesTest() {
    std::ofstream(file_, std::ios::binary) << "0123456789";
    const auto made = files_->NewRandomAccessFile(file_, {}, &reader_, nullptr);
    EXPECT_TRUE(made.ok()) << made.ToString();
  }
  struct Outcome {
    IOStatus status;
    std::string bytes;
  };
  [[nodiscard]] Outcome read(std::uint64_t offset, std::size_t size) const {
    std::string room(size, '\0');
    rocksdb::Slice bytes;
    auto status = reader_->Read(offset, size, {}, &bytes, room.data(), nullptr);
    return {std::move(status), bytes.ToString()};
  }

  test::TempDir directory_;
  const std::string file_ = (directory_.path() / "file").string();
  const std::shared_ptr<rocksdb::FileSystem> files_ =
      make_page_cache_files(rocksdb::FileSystem::Default());
  std::unique_ptr<rocksdb::FSRandomAccessFile> reader_;
};

TEST_F(PageCacheFilesTest, a_read_that_may_wait_is_the_systems_own) {
  EXPECT_EQ(read(3, 4).bytes, "3456");
  const auto end = read(8, 10);
  EXPECT_TRUE(end.status.ok());
  EXPECT_EQ(end.bytes, "89");
}

TEST_F(PageCacheFilesTest, a_read_that_may_not_wait_gives_all_that_was_asked_for_or_nothing) {
  (void)read(0, 10);  // now it is in the page cache
  const NoWaitScope no_wait;
  const auto whole = read(3, 4);
  if (whole.status.IsBusy()) GTEST_SKIP() << "this file system knows no reads that do not wait";
  EXPECT_EQ(whole.bytes, "3456");
  EXPECT_TRUE(read(8, 10).status.IsBusy());
  EXPECT_TRUE(read(100, 1).status.IsBusy());
}

TEST_F(PageCacheFilesTest, what_was_changed_behind_it_is_what_is_read) {
  {
    std::ofstream(file_, std::ios::binary | std::ios::in) << "abc";
  }
  EXPECT_EQ(read(0, 4).bytes, "abc3");
}

TEST_F(PageCacheFilesTest, a_file_that_is_not_there_is_an_error) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> reader;
  const auto absent = (directory_.path() / "absent").string();
  EXPECT_TRUE(files_->NewRandomAccessFile(absent, {}, &reader, nullptr).IsPathNotFound());
  EXPECT_EQ(reader, nullptr);
}

TEST_F(PageCacheFilesTest, a_reader_keeps_its_file_when_its_name_goes) {
  ASSERT_TRUE(files_->DeleteFile(file_, {}, nullptr).ok());
  EXPECT_EQ(read(0, 10).bytes, "0123456789");
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST_F(PageCacheFilesTest, every_descriptor_is_closed_with_its_reader) {
  reader_.reset();
  const int before = open_descriptors();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(files_->NewRandomAccessFile(file_, {}, &reader_, nullptr).ok());
  }
  EXPECT_GT(open_descriptors(), before);
  reader_.reset();
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace llm_edge_cache::disk
