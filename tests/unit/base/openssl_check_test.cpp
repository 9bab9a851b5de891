#include "base/openssl_check.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache {
namespace {

TEST(OpensslCheckTest, success_goes_on) {
  check_openssl(true, "EVP_Anything");
}

TEST(OpensslCheckDeathTest, failure_names_the_call_and_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(check_openssl(false, "EVP_Anything"), "llm_edge_cache: EVP_Anything failed");
}

}  // namespace
}  // namespace llm_edge_cache
