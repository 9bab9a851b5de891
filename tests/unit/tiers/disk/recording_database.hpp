// A database that writes down what it is asked for, and fails where a test wants it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/entry_codec.hpp"
#include "tiers/disk/database.hpp"

namespace llm_edge_cache::disk {

// What is committed, by key.
class RecordedTable final : public Table {
 public:
  std::map<KeyDigest, Found::Kind> held;

  Found find(const KeyDigest& key, UnixMillis /*now_ms*/, Wait /*wait*/) const override {
    const auto place = held.find(key);
    return {place == held.end() ? Found::Kind::kNothing : place->second, nullptr, {}};
  }
  Result<std::uint64_t> count(UnixMillis /*now_ms*/,
                              const std::function<bool()>& /*go_on*/) const override {
    return held.size();
  }
  Result<Page> page(const std::optional<KeyDigest>& /*after*/, std::size_t /*max_entries*/,
                    UnixMillis /*now_ms*/, const std::function<bool()>& /*go_on*/) const override {
    return Page();
  }
  std::uint64_t approximate_count() const override { return held.size(); }
  std::uint64_t memory_bytes() const override { return 0; }
  std::uint64_t disk_bytes() const override { return 0; }
};

class RecordingDatabase final : public Database {
 public:
  std::vector<std::string> calls;  // "put", "remove", "commit 2", "clear", "sweep"
  std::optional<Error> commit_fails;
  std::optional<Error> clear_fails;
  std::shared_ptr<RecordedTable> rows = std::make_shared<RecordedTable>();

  TablePtr table() const override { return rows; }
  void put(const KeyDigest& key, UnixMillis /*end_ms*/, std::string_view frame) override {
    calls.emplace_back("put");
    staged_.emplace_back(key, true);
    staged_bytes_ += frame.size();
  }
  void remove(const KeyDigest& key) override {
    calls.emplace_back("remove");
    staged_.emplace_back(key, false);
  }
  std::size_t staged_bytes() const override { return staged_bytes_; }
  Status commit() override {
    calls.push_back("commit " + std::to_string(staged_.size()));
    staged_bytes_ = 0;
    const auto staged = std::exchange(staged_, {});
    if (commit_fails) return *commit_fails;
    for (const auto& [key, is_put] : staged) {
      if (is_put) rows->held[key] = Found::Kind::kEntry;
      if (!is_put) rows->held.erase(key);
    }
    return {};
  }
  Status clear() override {
    calls.emplace_back("clear");
    if (clear_fails) return *clear_fails;
    rows = std::make_shared<RecordedTable>();
    return {};
  }
  void sweep() override { calls.emplace_back("sweep"); }
  void start_file() override {}
  Status recover() override { return {}; }

 private:
  std::vector<std::pair<KeyDigest, bool>> staged_;
  std::size_t staged_bytes_ = 0;
};

}  // namespace llm_edge_cache::disk
