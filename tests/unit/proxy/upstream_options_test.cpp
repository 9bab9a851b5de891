#include "proxy/upstream_options.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

TEST(CredentialTextTest, is_visible_ascii_without_blanks) {
  EXPECT_TRUE(is_credential_text("sk-1_~!"));
  for (const auto* const text : {"sk 1", "sk-1\n", "sk-1\t", "sk-\x7f", "sk-\xc3\xa9"}) {
    EXPECT_FALSE(is_credential_text(text)) << text;
  }
}

TEST(RetryOptionsTest, the_defaults_are_valid) {
  EXPECT_TRUE(RetryOptions{}.validate().ok());
}

TEST(RetryOptionsTest, an_error_names_the_field_and_its_bounds) {
  EXPECT_EQ(RetryOptions{.max_retries = 17}.validate().error().message,
            "max_retries must be from 0 to 16");
  EXPECT_EQ((RetryOptions{.min_backoff_ms = 50, .max_backoff_ms = 49}.validate().error().message),
            "max_backoff_ms must be from 50 to 3600000");
  for (const auto& options : {RetryOptions{.deadline_ms = -1}, RetryOptions{.max_wait_ms = -1},
                              RetryOptions{.min_backoff_ms = 0}, RetryOptions{.max_errors = 0},
                              RetryOptions{.open_ms = 0}}) {
    EXPECT_FALSE(options.validate().ok());
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy
