#include "bench/proxy/target.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::bench {
namespace {

TEST(NumberedTest, puts_the_number_into_the_place_without_changing_the_length) {
  EXPECT_EQ(numbered("a @@@@@@@@@@@@@@ z", 4'711), "a 00000000004711 z");
  EXPECT_EQ(numbered("@@@@@@@@@@@@", 1), "000000000001");
  EXPECT_EQ(numbered("mail@x @@@@@@@@@@@@.", 12), "mail@x 000000000012.");
}

TEST(NumberedTest, refuses_a_request_without_a_place) {
  EXPECT_THROW((void)numbered("a @@@ z", 1), std::invalid_argument);
}

TEST(ParseTargetsTest, reads_name_port_and_request) {
  const test::TempDir folder;
  const auto path = (folder.path() / "request").string();
  std::ofstream(path) << "POST";
  const auto targets = parse_targets({"nginx=80=" + path});
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].name, "nginx");
  EXPECT_EQ(targets[0].port, 80);
  EXPECT_EQ(targets[0].request, "POST");
}

TEST(ParseTargetsTest, refuses_what_is_none) {
  EXPECT_THROW((void)parse_targets({"nginx"}), std::invalid_argument);
  EXPECT_THROW((void)parse_targets({"nginx=80"}), std::invalid_argument);
  EXPECT_THROW((void)parse_targets({"nginx=80=/no/such/file"}), std::runtime_error);
  EXPECT_THROW((void)parse_targets({"nginx=http=/dev/null"}), std::invalid_argument);
}

}  // namespace
}  // namespace llm_edge_cache::bench
