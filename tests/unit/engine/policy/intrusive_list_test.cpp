#include "llm_edge_cache/engine/policy/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

using testing::VectorNodes;

class IntrusiveListTest : public ::testing::Test {
 protected:
  Handle node(std::uint32_t weight) { return nodes_.allocate(0, 0, weight); }

  std::vector<Handle> forward() {
    std::vector<Handle> handles;
    for (Handle at = list_.front(); at != kNullHandle; at = nodes_.links(at).next) {
      handles.push_back(at);
    }
    return handles;
  }

  VectorNodes nodes_;
  IntrusiveList<VectorNodes> list_{Segment::kWindow};
};

TEST_F(IntrusiveListTest, keeps_the_order_of_pushes_at_both_ends) {
  const Handle a = node(1);
  const Handle b = node(2);
  const Handle c = node(3);
  list_.push_front(nodes_, b);
  list_.push_front(nodes_, a);
  list_.push_back(nodes_, c);
  EXPECT_EQ(forward(), (std::vector<Handle>{a, b, c}));
  EXPECT_EQ(list_.count(), 3U);
  EXPECT_EQ(list_.weight(), 6U);
  EXPECT_TRUE(list_.validate(nodes_));
}

TEST_F(IntrusiveListTest, removes_first_middle_last_and_only) {
  const Handle a = node(1);
  const Handle b = node(2);
  const Handle c = node(4);
  for (const Handle handle : {a, b, c}) list_.push_back(nodes_, handle);
  list_.remove(nodes_, b);
  EXPECT_EQ(forward(), (std::vector<Handle>{a, c}));
  list_.remove(nodes_, c);
  list_.remove(nodes_, a);
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.weight(), 0U);
  EXPECT_EQ(nodes_.links(a).segment, Segment::kNone);
  EXPECT_TRUE(list_.validate(nodes_));
}

TEST_F(IntrusiveListTest, moves_to_the_front_from_anywhere) {
  const Handle a = node(1);
  const Handle b = node(1);
  for (const Handle handle : {a, b}) list_.push_back(nodes_, handle);
  list_.move_to_front(nodes_, a);
  EXPECT_EQ(list_.front(), a);
  list_.move_to_front(nodes_, b);
  EXPECT_EQ(forward(), (std::vector<Handle>{b, a}));
}

TEST_F(IntrusiveListTest, a_replacement_takes_the_place_and_is_weighed_by_reweigh) {
  const Handle a = node(1);
  const Handle old = node(2);
  const Handle c = node(3);
  for (const Handle handle : {a, old, c}) list_.push_back(nodes_, handle);
  const Handle fresh = node(10);
  list_.replace(nodes_, old, fresh);
  list_.reweigh(2, 10);
  EXPECT_EQ(forward(), (std::vector<Handle>{a, fresh, c}));
  EXPECT_EQ(list_.weight(), 14U);
  EXPECT_TRUE(list_.validate(nodes_));
}

TEST_F(IntrusiveListTest, validate_sees_a_wrong_weight_and_a_broken_link) {
  const Handle a = node(1);
  const Handle b = node(1);
  for (const Handle handle : {a, b}) list_.push_back(nodes_, handle);
  nodes_[a].weight = 5;
  EXPECT_FALSE(list_.validate(nodes_));
  nodes_[a].weight = 1;
  nodes_.links(b).prev = kNullHandle;
  EXPECT_FALSE(list_.validate(nodes_));
}

}  // namespace
}  // namespace llm_edge_cache::engine
