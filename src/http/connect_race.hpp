// Connects to the first of a server's addresses that answers ("Happy Eyeballs", RFC 8305, section
// 5).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "http/address_book.hpp"
#include "http/io_threads.hpp"
#include "http/stream.hpp"

namespace llm_edge_cache::http {

// One by one, in the order of the address book: the next is tried when the one before has failed or
// been silent for a while, and whoever answers first is taken. Holds itself while it runs. On the
// thread of its sockets only.
class ConnectRace : public std::enable_shared_from_this<ConnectRace> {
 public:
  static constexpr std::chrono::milliseconds kSilence{250};  // RFC 8305, section 8

  // Called once, not before start() returns: with a connected socket, or with the last error when
  // every address has failed. There is no deadline; that is the caller's.
  using Done = std::function<void(IoError error, Socket socket)>;

  // resolved: at least one. book outlives the race, or the race is cancelled before.
  ConnectRace(IoThread& thread, AddressBook& book, const std::vector<Endpoint>& resolved,
              Done done);

  void start() { try_next(); }
  // Done is not called after this.
  void cancel();

 private:
  struct Runner {
    Endpoint endpoint;
    Socket socket;
    bool has_failed = false;
  };

  void try_next();
  void on_connected(std::size_t index, IoError error);
  void note_result(std::size_t winner);

  IoThread& thread_;
  AddressBook& book_;
  const std::vector<Endpoint> endpoints_;
  Done done_;                    // null once it is over
  std::vector<Runner> runners_;  // of endpoints_, as far as they were tried; never moves
  std::size_t failed_ = 0;
  MemberTimer<ConnectRace, &ConnectRace::try_next> silence_{*this};
};

}  // namespace llm_edge_cache::http
