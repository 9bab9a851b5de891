// A disk that does what a test tells it: it freezes, is full, or refuses what is written.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace llm_edge_cache::disk {

class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();  // thaws it

  // What the tier is to be given. Nothing is known without waiting (as if no page were cached).
  [[nodiscard]] std::shared_ptr<rocksdb::FileSystem> file_system() const;

  // Reads and writes wait until thaw().
  void freeze();
  void thaw();
  // Writes fail for lack of space until then.
  void fill_up();
  void make_room();
  // Reads that wait while it is frozen.
  [[nodiscard]] int waiting_reads() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace llm_edge_cache::disk
