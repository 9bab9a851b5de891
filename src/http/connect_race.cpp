#include "http/connect_race.hpp"

#include <utility>

namespace llm_edge_cache::http {

ConnectRace::ConnectRace(IoThread& thread, AddressBook& book, const std::vector<Endpoint>& resolved,
                         Done done)
    : thread_(thread),
      book_(book),
      endpoints_(book.order(resolved, thread.recent())),
      done_(std::move(done)) {
  runners_.reserve(endpoints_.size());
}

void ConnectRace::cancel() {
  silence_.cancel();
  done_ = nullptr;
  for (Runner& runner : runners_) {
    IoError ignored;
    runner.socket.close(ignored);
  }
}

void ConnectRace::try_next() {
  const std::size_t index = runners_.size();
  Runner& runner = runners_.emplace_back(Runner{endpoints_[index], Socket(thread_.context())});
  runner.socket.async_connect(runner.endpoint, [self = shared_from_this(), index](IoError error) {
    self->on_connected(index, error);
  });
  silence_.cancel();
  if (runners_.size() < endpoints_.size()) thread_.set_timer(silence_, kSilence);
}

void ConnectRace::on_connected(std::size_t index, IoError error) {
  if (done_ == nullptr) return;
  if (error) {
    IoError ignored;
    runners_[index].socket.close(ignored);
    runners_[index].has_failed = true;
    ++failed_;
    if (runners_.size() < endpoints_.size()) return try_next();
    if (failed_ < endpoints_.size()) return;
    const Done done = std::exchange(done_, nullptr);
    return done(error, Socket(thread_.context()));
  }
  note_result(index);
  const Done done = std::exchange(done_, nullptr);
  Socket winner = std::move(runners_[index].socket);
  cancel();
  done({}, std::move(winner));
}

// Whoever came after the winner had no time to answer.
void ConnectRace::note_result(std::size_t winner) {
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    if (i < winner || runners_[i].has_failed) {
      book_.note_dead(runners_[i].endpoint, thread_.recent());
    }
  }
  book_.note_alive(runners_[winner].endpoint);
}

}  // namespace llm_edge_cache::http
