// Flight: one answer under way, and everybody who waits for it.
//
// A source feeds it on one I/O thread; listeners read it, each on its own thread and at its own
// pace. What has come stays until the end, so that a late listener gets it at once and then follows
// live, and a slow one holds up nobody.
//
// Memory is bounded: an answer that outgrows max_recorded_bytes, or comes in pieces so small that
// keeping them apart takes more than the answer does, is no longer recorded, nobody may join any
// more, and what every listener has read is dropped. The source is then paused while a
// listener that can read is behind by more than max_lag_bytes. Listeners that wait for their
// sockets hold up nobody: the source waits for the fastest of them where all do, and one that falls
// behind the fastest by more than max_recorded_bytes is cut off.
//
// Thread-safe. A listener's and the source's calls are made with no lock held.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"
#include "core/removal_watch.hpp"
#include "http/io_threads.hpp"
#include "http/message.hpp"
#include "http/shared_bytes.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/served_answer.hpp"

namespace llm_edge_cache::proxy {

// On whose account the call is made (flight_payer.hpp).
struct FlightPayer {
  std::shared_ptr<const void> limits = {};  // those it counts for; null: nobody's
  KeyDigest credential = {};                // that goes up; zero: the same for all who may join

  friend bool operator==(const FlightPayer&, const FlightPayer&) = default;
};

struct FlightOptions {
  std::size_t max_recorded_bytes = 8U << 20U;  // 0: a flight that nobody can join or outlive
  std::size_t max_lag_bytes = 256U << 10U;
  FlightPayer payer = {};
};

// How a flight ended.
struct FlightEnding {
  enum class Kind {
    kWhole,   // the answer came to its end
    kBroken,  // the answer began and broke off; error says how
    kFailed,  // no answer began
    kFound,   // a tier had it: no call was made
  };
  Kind kind = Kind::kWhole;
  ProxyError error = {};
  bool is_payers_own = false;              // kFailed: by the limits of whoever pays
  std::optional<ServedAnswer> found = {};  // kFound
  EntryPtr stored = {};                    // kWhole: the entry made of it, if one was
};

struct FlightHead {
  http::ResponseHead response;
  // All of it is bound to come at once: worth waiting for the end before the client gets a head.
  bool is_held = false;
  std::string detail = {};    // for Cache-Status; a token, empty for none
  std::string upstream = {};  // the group that answered, and how soon
  std::chrono::nanoseconds first_byte{0};
};

class FlightListener {
 public:
  virtual ~FlightListener() = default;
  // There is something to read. On the listener's thread; not again until it has read.
  virtual void on_progress() = 0;
};

class FlightSource {
 public:
  virtual ~FlightSource() = default;
  // On the source's thread, both.
  virtual void resume() = 0;
  // Nobody listens any more, and the answer is of no use to the cache.
  virtual void abandon() = 0;
  // Somebody asks anew, because what the flight is about was purged: let others ask, where what the
  // source has asked for was.
  virtual void give_way() = 0;
};

class Flight : public std::enable_shared_from_this<Flight> {
 private:
  struct Listener;

 public:
  // What the source shall do after it has given a piece.
  enum class Pace { kGoOn, kPause, kAbandon };

  // What a listener has not read yet.
  struct Progress {
    std::shared_ptr<const FlightHead> head;  // null: none came yet
    std::vector<http::SharedBytes> pieces;
    bool is_cut_off = false;                     // too slow; the rest is lost
    std::shared_ptr<const FlightEnding> ending;  // set with the last pieces, or after them
  };

  // A place among the listeners; its owner calls leave() before it forgets it.
  class Ticket {
   public:
    Ticket() = default;

   private:
    friend class Flight;
    explicit Ticket(std::list<Listener>::iterator at) : at_(at) {}
    std::list<Listener>::iterator at_;
  };

  explicit Flight(FlightOptions options);
  ~Flight();

  // Empty where earlier pieces are gone already, the source was told to give up, or a watch is
  // over. What has come by now is there to be read without a call of on_progress().
  [[nodiscard]] std::optional<Ticket> join(std::shared_ptr<FlightListener> listener,
                                           http::IoThread& thread);
  // As join(), for who is to ask: what is asked for from here on is younger than what a watch that
  // is over tells of.
  [[nodiscard]] std::optional<Ticket> lead(std::shared_ptr<FlightListener> listener,
                                           http::IoThread& thread);
  // At most about max_bytes of pieces, at least one if there is any.
  [[nodiscard]] Progress read(Ticket ticket, std::size_t max_bytes);
  // The listener cannot read until its socket has taken what it has; read() ends that.
  void wait_for_socket(Ticket ticket);
  // Once per ticket.
  void leave(Ticket ticket);

  // For the source, on its thread.
  void set_source(std::weak_ptr<FlightSource> source, http::IoThread& thread);
  // Before it asks anybody: with the first that is over the answer is only for those who are here.
  void set_watches(std::vector<RemovalWatchPtr> watches);
  // Listeners hear of neither before tell() or end(): what came at once they read at once.
  void begin(FlightHead head);
  void append(std::string_view bytes);
  // An answer that is all there; not copied.
  void append(const http::SharedBytes& bytes);
  [[nodiscard]] Pace tell();
  // From here on only for those who are here. Returns what kAbandon or kGoOn would.
  [[nodiscard]] Pace stop_recording();
  [[nodiscard]] bool is_recording() const;
  // Everything that came, while it is recorded.
  [[nodiscard]] std::string recorded() const;
  void end(FlightEnding ending);

  // What a tier had that was too old for whoever started the flight, for listeners that would
  // rather have it than an error; null offers nothing, of several the one that expires last is
  // kept. The source offers it before it calls.
  void offer_fallback(EntryPtr entry);
  [[nodiscard]] EntryPtr fallback() const;

  [[nodiscard]] const FlightPayer& payer() const { return options_.payer; }

 private:
  struct Listener {
    std::shared_ptr<FlightListener> target;
    http::IoThread* thread = nullptr;
    std::uint64_t next_piece = 0;
    std::uint64_t read_bytes = 0;
    bool is_notified = false;
    bool is_waiting_for_socket = false;
    bool is_cut_off = false;
  };
  struct Wakeup {
    std::shared_ptr<FlightListener> target;
    http::IoThread* thread;
  };
  using Wakeups = std::vector<Wakeup>;

  [[nodiscard]] Wakeups wakeups() LEC_REQUIRES(mu_);
  static void wake(const Wakeups& wakeups);
  [[nodiscard]] std::uint64_t fastest_read() const LEC_REQUIRES(mu_);
  void stop_recording_locked() LEC_REQUIRES(mu_);
  void cut_off_slow() LEC_REQUIRES(mu_);
  void trim() LEC_REQUIRES(mu_);
  void add(http::SharedBytes piece) LEC_REQUIRES(mu_);
  // What was appended since the last time becomes a piece.
  void close_piece() LEC_REQUIRES(mu_);
  [[nodiscard]] bool has_outgrown_its_bound() const LEC_REQUIRES(mu_);
  // How far the source is ahead of whom it waits for.
  [[nodiscard]] std::uint64_t lead() const LEC_REQUIRES(mu_);
  [[nodiscard]] Pace pace() LEC_REQUIRES(mu_);
  // True where the source was paused and need not be any longer; it is not from here on.
  [[nodiscard]] bool end_pause() LEC_REQUIRES(mu_);
  void tell_source(void (FlightSource::*what)()) LEC_EXCLUDES(mu_);
  [[nodiscard]] bool is_purged() const LEC_EXCLUDES(mu_);

  const FlightOptions options_;

  mutable Mutex mu_;
  std::shared_ptr<const FlightHead> head_ LEC_GUARDED_BY(mu_);
  std::shared_ptr<const FlightEnding> ending_ LEC_GUARDED_BY(mu_);
  std::vector<RemovalWatchPtr> watches_ LEC_GUARDED_BY(mu_);
  std::deque<http::SharedBytes> pieces_ LEC_GUARDED_BY(mu_);
  std::string open_piece_ LEC_GUARDED_BY(mu_);         // what came with the read that is being told
  std::uint64_t first_piece_ LEC_GUARDED_BY(mu_) = 0;  // number of pieces_.front()
  std::uint64_t total_bytes_ LEC_GUARDED_BY(mu_) = 0;
  std::list<Listener> listeners_ LEC_GUARDED_BY(mu_);
  bool is_recording_ LEC_GUARDED_BY(mu_);
  bool is_paused_ LEC_GUARDED_BY(mu_) = false;
  bool is_given_up_ LEC_GUARDED_BY(mu_) = false;
  EntryPtr fallback_ LEC_GUARDED_BY(mu_);
  std::weak_ptr<FlightSource> source_ LEC_GUARDED_BY(mu_);
  http::IoThread* source_thread_ LEC_GUARDED_BY(mu_) = nullptr;
};

}  // namespace llm_edge_cache::proxy
