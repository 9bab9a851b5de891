// One request and its answer, as a server hands it to its handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/extra_fields.hpp"
#include "http/field_lines.hpp"
#include "http/message.hpp"
#include "http/shared_bytes.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

class IoThread;
class ServerConnection;

enum class WriteResult {
  kSent,    // the kernel has everything
  kQueued,  // some bytes wait for the socket: stop until on_drain's call-back
  kClosed,  // the connection is gone, or was cut because the queue was full; bytes dropped
};

// A part of a streamed answer, sent in one system call where the socket takes it.
struct AnswerPart {
  // With the first part, and no other.
  const ResponseHead* head = nullptr;
  // Not copied; at most Exchange::kMaxPieces.
  std::span<const SharedBytes> pieces = {};
  // The answer ends with this part, as by finish().
  bool is_last = false;
};

// Gets the whole body of one request, or the error why it did not come.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;
  // Once. The bytes are valid during the call.
  virtual void on_body(Result<std::string_view> body) = 0;
};

// Belongs to one I/O thread, io_thread(): call everything there, except post(), which is for
// everybody. Call-backs run on that thread too, and may run before the call that sets them off
// returns. Holding an Exchange holds its connection; none may outlive the IoThreads. Letting the
// last reference go without an answer answers 500, cuts the connection when the answer had begun,
// and closes it when the client had closed its side.
//
// Answer once: respond(), or start(), write()..., finish(), or parts that say so. Calls after the
// answer ended, or after the connection was lost, do nothing.
class Exchange {
 public:
  // What a handler keeps with an exchange.
  class Note {
   public:
    virtual ~Note() = default;
    // Once, when the last reference to the exchange goes; on whatever thread that is.
    virtual void on_gone(const Exchange& exchange) = 0;
  };

  Exchange(std::shared_ptr<ServerConnection> connection, std::shared_ptr<ReceivedHead> received);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] const RequestHead& head() const { return received_->head; }
  // What was set for this head, by this exchange or by one before it on the connection whose head
  // was the same up to the value of Content-Length; null otherwise.
  [[nodiscard]] const HeadNote* head_note() const { return received_->note.get(); }
  // Replaces it.
  void set_head_note(std::shared_ptr<const HeadNote> note) { received_->note = std::move(note); }
  [[nodiscard]] IoThread& io_thread() const;
  // Every answer from now on has these fields; but an error that the server itself answers has
  // those of its formatter. Null: none. They must live as long as the exchange.
  void set_extra_fields(const ExtraFields* fields) { extra_fields_ = fields; }
  [[nodiscard]] const ExtraFields* extra_fields() const { return extra_fields_; }
  // Address of the client, without port.
  [[nodiscard]] std::string remote_address() const;

  // From any thread: runs task on io_thread().
  void post(std::function<void()> task) const;

  // The whole request body, empty when there is none. Over max_bytes (or the server's
  // max_body_bytes, the smaller counts) the server answers 413 itself and done gets kTooLarge;
  // kUnavailable when the client went away; kProtocol for bad framing and kDeadlineExceeded for a
  // sender too slow, both answered by the server too. Sends 100 Continue if the client waits for
  // it. Call this or stream_body(), once, or neither: an answer without it discards the body.
  using BodyDone = std::function<void(Result<std::string>)>;
  void read_body(std::size_t max_bytes, BodyDone done);
  // The same without a copy where the body came in one piece.
  void read_body(std::size_t max_bytes, std::shared_ptr<BodyReceiver> receiver);

  // The whole body where it came with the head, and nobody has asked for it yet; empty elsewhere.
  // Valid as long as handle() runs. Whoever answers from it need not read the body.
  [[nodiscard]] std::optional<std::string_view> received_body() const;

  // The request body as it comes; limits, errors and 100 Continue as above. After pause_body() up
  // to IoThread::kScratchBytes more may come. Nothing comes once the answer has ended.
  struct BodySink {
    std::function<void(std::string_view bytes)> on_data;  // bytes are valid during the call
    std::function<void(const Status&)> on_end;            // once; ok: the body was complete
  };
  void stream_body(BodySink sink);
  void pause_body();
  void resume_body();

  // The whole answer. Content-Length, Date and Connection are ours: what head has of them is
  // replaced (Date is kept). The body is not copied. A HEAD request gets the same head alone.
  void respond(const ResponseHead& head, const SharedBytes& body);
  // The same for answers that are made often.
  void respond(std::uint16_t status, const FieldLines& fields, const SharedBytes& body);
  // As respond(), with the body that the server's error formatter makes.
  void respond_error(std::uint16_t status, std::string_view detail);

  // Sends the head of a streamed answer: with head's Content-Length, else chunked, else (HTTP/1.0)
  // delimited by close. Bytes are then sent as they come.
  void start(const ResponseHead& head);
  // The string_view form copies only what the socket does not take at once. The queue is bounded
  // by ServerOptions::max_write_queue_bytes; over it the connection is cut.
  WriteResult write(std::string_view bytes);
  WriteResult write(const SharedBytes& bytes);
  static constexpr std::size_t kMaxPieces = 3;
  // Several of these calls in one.
  WriteResult write(const AnswerPart& part);
  // Called every time that a queue which was not empty has been sent.
  void on_drain(std::function<void()> callback);
  // Ends a streamed answer. Cuts the connection if fewer bytes than Content-Length were written:
  // never does a truncated answer look whole.
  void finish();
  // Cuts the connection with a reset, so that the client sees a truncated message.
  void abort();

  // Called once, if the client closes or resets its side before the answer ended, at the latest
  // when writing fails. A client that closed only its sending side looks the same, and still gets
  // what it is answered.
  void on_disconnect(std::function<void()> callback);

  void set_note(std::unique_ptr<Note> note) { note_ = std::move(note); }
  [[nodiscard]] Note* note() const { return note_.get(); }

  // Of the answer so far: 0 before it starts, and the bytes of its body that were given to the
  // connection.
  [[nodiscard]] std::uint16_t answer_status() const { return answer_status_; }
  [[nodiscard]] std::uint64_t answer_bytes() const { return answer_bytes_; }

  [[nodiscard]] bool started() const;  // the head was sent
  [[nodiscard]] bool ended() const;    // answered, cut, or lost

 private:
  std::shared_ptr<ServerConnection> connection_;
  const std::uint64_t number_;  // of the connection's exchanges
  std::shared_ptr<ReceivedHead> received_;
  std::unique_ptr<Note> note_;
  const ExtraFields* extra_fields_ = nullptr;
  std::uint16_t answer_status_ = 0;
  std::uint64_t answer_bytes_ = 0;
};

}  // namespace llm_edge_cache::http
