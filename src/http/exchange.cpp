#include "http/exchange.hpp"

#include <array>
#include <utility>

#include "http/server_connection.hpp"

namespace llm_edge_cache::http {
namespace {

class CopyingReceiver final : public BodyReceiver {
 public:
  explicit CopyingReceiver(Exchange::BodyDone done) : done_(std::move(done)) {}

  void on_body(Result<std::string_view> body) override {
    const auto done = std::exchange(done_, nullptr);
    if (body.ok()) {
      done(std::string(*body));
    } else {
      done(body.error());
    }
  }

 private:
  Exchange::BodyDone done_;
};

}  // namespace

Exchange::Exchange(std::shared_ptr<ServerConnection> connection,
                   std::shared_ptr<ReceivedHead> received)
    : connection_(std::move(connection)),
      number_(connection_->exchange_number()),
      received_(std::move(received)) {}

Exchange::~Exchange() {
  if (note_ != nullptr) note_->on_gone(*this);
  IoThread& thread = connection_->thread();
  if (thread.is_current()) {
    received_.reset();  // what comes next may have the same head
    connection_->dropped(number_);
  } else {
    thread.post([connection = std::move(connection_), number = number_,
                 received = std::move(received_)] { connection->dropped(number); });
  }
}

IoThread& Exchange::io_thread() const {
  return connection_->thread();
}

std::string Exchange::remote_address() const {
  return connection_->remote_address();
}

void Exchange::post(std::function<void()> task) const {
  connection_->thread().post(std::move(task));
}

void Exchange::read_body(std::size_t max_bytes, BodyDone done) {
  read_body(max_bytes, std::make_shared<CopyingReceiver>(std::move(done)));
}

void Exchange::read_body(std::size_t max_bytes, std::shared_ptr<BodyReceiver> receiver) {
  if (!ended()) connection_->claim_body(std::move(receiver), max_bytes);
}

std::optional<std::string_view> Exchange::received_body() const {
  return ended() ? std::nullopt : connection_->body_at_hand();
}

void Exchange::stream_body(BodySink sink) {
  if (!ended()) connection_->claim_body(std::move(sink), static_cast<std::size_t>(-1));
}

void Exchange::pause_body() {
  if (!ended()) connection_->pause_body();
}

void Exchange::resume_body() {
  if (!ended()) connection_->resume_body();
}

void Exchange::respond(const ResponseHead& head, const SharedBytes& body) {
  if (ended()) return;
  answer_status_ = head.status;
  answer_bytes_ = body.size();
  connection_->respond(head, body);
}

void Exchange::respond(std::uint16_t status, const FieldLines& fields, const SharedBytes& body) {
  if (ended()) return;
  answer_status_ = status;
  answer_bytes_ = body.size();
  connection_->respond(PreparedHead{.status = status, .fields = fields}, body);
}

void Exchange::respond_error(std::uint16_t status, std::string_view detail) {
  if (ended()) return;
  answer_status_ = status;
  connection_->respond_error(status, detail);
}

void Exchange::start(const ResponseHead& head) {
  if (ended()) return;
  answer_status_ = head.status;
  connection_->start_answer(head);
}

WriteResult Exchange::write(std::string_view bytes) {
  if (ended()) return WriteResult::kClosed;
  answer_bytes_ += bytes.size();
  return connection_->write(bytes);
}

WriteResult Exchange::write(const SharedBytes& bytes) {
  if (ended()) return WriteResult::kClosed;
  answer_bytes_ += bytes.size();
  return connection_->write(bytes);
}

WriteResult Exchange::write(const AnswerPart& part) {
  static_assert(kMaxPieces <= OutputBatch::kMaxPieces);
  if (ended()) return WriteResult::kClosed;
  if (part.head != nullptr) answer_status_ = part.head->status;
  std::array<OutputPiece, kMaxPieces> pieces;
  std::size_t count = 0;
  for (const SharedBytes& piece : part.pieces) {
    answer_bytes_ += piece.size();
    pieces[count++] = piece;
  }
  return connection_->answer(
      {.head = part.head, .pieces = {pieces.data(), count}, .is_last = part.is_last});
}

void Exchange::on_drain(std::function<void()> callback) {
  if (!ended()) connection_->on_drain(std::move(callback));
}

void Exchange::finish() {
  if (!ended()) connection_->finish();
}

void Exchange::abort() {
  if (!ended()) connection_->cut();
}

void Exchange::on_disconnect(std::function<void()> callback) {
  if (!ended()) connection_->on_disconnect(std::move(callback));
}

bool Exchange::started() const {
  return ended() || connection_->started();
}

bool Exchange::ended() const {
  return !connection_->is_current(*this);
}

}  // namespace llm_edge_cache::http
