#include "serve/cache_walk.hpp"

#include <atomic>
#include <utility>

#include "core/tag_stamp.hpp"

namespace llm_edge_cache::app {

void CacheWalk::next(Handler handler) {
  const bool is_l1 = l1_ != nullptr;
  const auto walk = is_l1 ? l1_ : l2_;
  if (walk == nullptr) return handler(Page());
  walk->next([self = shared_from_this(), is_l1, handler = std::move(handler)](Result<Page> page) {
    self->take(std::move(page), is_l1, handler);
  });
}

void CacheWalk::take(Result<Page> page, bool is_l1, const Handler& handler) {
  if (!page.ok()) return handler(std::move(page));
  if (page->empty()) {
    (is_l1 ? l1_ : l2_) = nullptr;
    return next(handler);
  }
  std::erase_if(*page, [&](const KeyedEntry& one) {
    return is_tag_marker(*one.entry) || (!is_l1 && seen_.contains(one.key));
  });
  if (is_l1 && l2_ != nullptr) {
    for (const auto& one : *page) seen_.insert(one.key);
  }
  if (page->empty()) return next(handler);
  confirm(std::move(page).value(), handler);
}

void CacheWalk::confirm(Page page, const Handler& handler) {
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
    cache_.confirm_tags(shared->page[i].entry,
                        [self = shared_from_this(), shared, i, handler](bool stands) {
                          shared->stands[i] = stands ? 1 : 0;
                          if (shared->missing.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
                          Page standing;
                          for (std::size_t at = 0; at < shared->page.size(); ++at) {
                            if (shared->stands[at] != 0)
                              standing.push_back(std::move(shared->page[at]));
                          }
                          if (standing.empty()) return self->next(handler);
                          handler(std::move(standing));
                        });
  }
}

}  // namespace llm_edge_cache::app
