#include "proxy/access_record.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy {
namespace {

const std::string kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00-" + kTraceId + "-00f067aa0ba902b7-01";

TEST(TraceIdTest, is_that_of_a_valid_traceparent) {
  EXPECT_EQ(trace_id_of(kParent), kTraceId);
  EXPECT_EQ(trace_id_of("cc" + kParent.substr(2) + "-more"), kTraceId);
}

TEST(TraceIdTest, is_empty_where_the_traceparent_is_not_valid) {
  const std::string zeros(32, '0');
  for (const auto& text :
       {std::string(), kTraceId, kParent.substr(1), kParent + "0", kParent + "-more",
        "ff" + kParent.substr(2), "0g" + kParent.substr(2), "00-" + zeros + kParent.substr(35),
        "00-4BF92F3577B34DA6A3CE929D0E0E4736" + kParent.substr(35), "00_" + kParent.substr(3)}) {
    EXPECT_EQ(trace_id_of(text), "") << text;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy
