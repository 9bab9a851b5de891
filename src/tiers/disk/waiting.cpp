#include "tiers/disk/waiting.hpp"

namespace llm_edge_cache::disk {
namespace {

thread_local bool may_wait = true;

}  // namespace

bool this_thread_may_wait() {
  return may_wait;
}

NoWaitScope::NoWaitScope() {
  may_wait = false;
}

NoWaitScope::~NoWaitScope() {
  may_wait = true;
}

}  // namespace llm_edge_cache::disk
