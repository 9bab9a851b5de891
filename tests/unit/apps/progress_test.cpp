#include "progress.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::app {
namespace {

TEST(ProgressLineTest, has_no_bar_where_nobody_knows_the_end) {
  EXPECT_EQ(progress_line("exported", 12, 3'400'000, {}), "exported 12 entries, 3.4 MB");
}

TEST(ProgressLineTest, fills_with_the_lines_that_are_done) {
  EXPECT_EQ(progress_line("exported", 0, 0, {.lines = 8}),
            "exported [--------------------]   0 %, 0 entries, 0.0 MB");
  EXPECT_EQ(progress_line("exported", 2, 100'000, {.lines = 8}),
            "exported [#####---------------]  25 %, 2 entries, 0.1 MB");
  EXPECT_EQ(progress_line("exported", 8, 100'000, {.lines = 8}),
            "exported [####################] 100 %, 8 entries, 0.1 MB");
}

TEST(ProgressLineTest, goes_by_bytes_where_the_lines_are_not_known) {
  EXPECT_EQ(progress_line("sent", 1, 999'999, {.bytes = 1'000'000}),
            "sent [###################-]  99 %, 1 entries, 1.0 MB");
}

TEST(ProgressLineTest, is_full_where_there_is_more_than_was_expected) {
  EXPECT_EQ(progress_line("exported", 9, 0, {.lines = 3}),
            "exported [####################] 100 %, 9 entries, 0.0 MB");
}

}  // namespace
}  // namespace llm_edge_cache::app
