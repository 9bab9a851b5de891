#include "serve/cache_walk.hpp"

#include <utility>

#include "core/tag_stamp.hpp"

namespace llm_edge_cache::app {

void CacheWalk::next(Handler handler) {
  handler_ = std::move(handler);
  ask();
}

// A page may come within the call that asks for it, and have nothing that stands: pages are asked
// for in a loop, or a large memory would take the stack.
void CacheWalk::ask() {
  const auto self = shared_from_this();
  if (asks_.fetch_add(1, std::memory_order_acq_rel) > 0) return;
  do {
    ask_once();
  } while (asks_.fetch_sub(1, std::memory_order_acq_rel) > 1);
}

void CacheWalk::ask_once() {
  const bool is_l1 = l1_ != nullptr;
  const auto walk = is_l1 ? l1_ : l2_;
  if (walk == nullptr) return finish(Page());
  walk->next([self = shared_from_this(), is_l1](Result<Page> page) {
    self->take(std::move(page), is_l1);
  });
}

void CacheWalk::finish(Result<Page> page) {
  const Handler handler = std::exchange(handler_, nullptr);
  handler(std::move(page));
}

void CacheWalk::take(Result<Page> page, bool is_l1) {
  if (!page.ok()) return finish(std::move(page));
  if (page->empty()) {
    (is_l1 ? l1_ : l2_) = nullptr;
    return ask();
  }
  std::erase_if(*page, [&](const KeyedEntry& one) {
    return is_tag_marker(*one.entry) || (!is_l1 && seen_.contains(one.key));
  });
  if (is_l1 && l2_ != nullptr) {
    for (const auto& one : *page) seen_.insert(one.key);
  }
  if (page->empty()) return ask();
  confirm(std::move(page).value());
}

void CacheWalk::confirm(Page page) {
  struct Shared {
    Page page;
    std::vector<char> stands;
    std::atomic<std::size_t> missing;
  };
  const auto shared = std::make_shared<Shared>();
  shared->page = std::move(page);
  shared->stands.resize(shared->page.size());
  shared->missing = shared->page.size();
  for (std::size_t i = 0; i < shared->stands.size(); ++i) {
    cache_.confirm_tags(shared->page[i].entry, [self = shared_from_this(), shared, i](bool stands) {
      shared->stands[i] = stands ? 1 : 0;
      if (shared->missing.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
      Page standing;
      for (std::size_t at = 0; at < shared->page.size(); ++at) {
        if (shared->stands[at] != 0) standing.push_back(std::move(shared->page[at]));
      }
      if (standing.empty()) return self->ask();
      self->finish(std::move(standing));
    });
  }
}

}  // namespace llm_edge_cache::app
