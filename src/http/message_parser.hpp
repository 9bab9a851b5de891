// Incremental HTTP/1.x parser: llhttp plus our own head rules, as a state machine that is fed bytes
// and says what they were. It does no I/O and calls nobody back.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/head_repeat.hpp"
#include "http/head_rules.hpp"
#include "http/message.hpp"

namespace llm_edge_cache::http {

struct ParserLimits {
  std::size_t max_header_bytes = 64 * 1024;  // start line and fields; trailers and chunk extensions
  std::size_t max_header_fields = 128;
  std::size_t max_target_bytes = 8 * 1024;
};

enum class ParseEvent {
  kNeedMore,  // all input was taken, nothing to tell
  kHead,      // the head is whole: take_head()
  kBody,      // all input was taken; body() has the pieces
  kEnd,       // the message is whole; body() has the last pieces. start() begins the next one
  kError,     // error(); the parser must not be fed again
};

struct ParseStep {
  ParseEvent event = ParseEvent::kNeedMore;
  std::size_t consumed = 0;  // of the input, which goes on behind it
};

// What is common to requests and responses. Not thread-safe.
class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  // Parses until there is something to tell. Needs at most one call with new input per event, and
  // after kHead a call with whatever is left, be it empty.
  [[nodiscard]] ParseStep next(std::string_view input);
  // The peer will send no more: kEnd for a body that the close delimits, else kError.
  [[nodiscard]] ParseStep end_of_input();

  // Pieces of body, views into the input of the last next().
  [[nodiscard]] const std::vector<std::string_view>& body() const { return body_; }
  [[nodiscard]] const ParseError& error() const { return error_; }

  // True from the first byte of a message on.
  [[nodiscard]] bool began() const { return head_bytes_ > 0; }
  [[nodiscard]] bool complete() const { return complete_; }

  // Valid from kHead on.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool framed() const { return framed_; }  // false: the close delimits the body
  [[nodiscard]] std::optional<std::uint64_t> content_length() const { return content_length_; }

  // Of what the parser itself holds, without the head.
  [[nodiscard]] std::size_t memory_bytes() const;

 protected:
  MessageParser(llhttp_type_t type, ParserLimits limits);
  ~MessageParser() = default;

  void restart();
  [[nodiscard]] const llhttp_t& state() const { return llhttp_; }
  [[nodiscard]] Version version() const;

  std::string target_;
  Headers headers_;
  bool skip_body_ = false;  // the answer to a HEAD

 private:
  struct Callbacks;

  // Checks the head that is now whole in headers_.
  [[nodiscard]] virtual std::optional<ParseError> finish_head() = 0;
  // Tells a head that need not be parsed, from the first bytes of a message.
  [[nodiscard]] virtual std::optional<HeadRepeat::Match> recall(std::string_view /*input*/) {
    return std::nullopt;
  }
  // Bytes that were a whole head.
  virtual void remember(std::string_view /*head*/) {}

  void forget_head();
  ParseStep begin_repeat(const HeadRepeat::Match& known);
  ParseStep next_of_repeat(std::string_view input);
  std::size_t execute(std::string_view input);
  std::size_t execute_trailers(std::string_view input);
  ParseStep tell_head(std::string_view head_part);

  int on_headers_complete();
  int begin_trailers();
  int add_target(std::string_view bytes);
  int add_name(std::string_view bytes);
  int add_value(std::string_view bytes);
  int end_field();
  int count_extra(std::size_t bytes);
  int fail(std::uint16_t status, std::string_view detail);
  bool take_head_bytes(std::string_view bytes);

  const llhttp_type_t type_;
  const ParserLimits limits_;
  llhttp_t llhttp_;
  HeadScanner scanner_;
  std::vector<std::string_view> body_;
  ParseError error_;
  std::size_t head_bytes_ = 0;
  std::size_t extra_bytes_ = 0;  // trailers and chunk extensions
  std::string name_;
  std::string value_;
  std::optional<std::uint64_t> content_length_;
  bool head_done_ = false;
  bool head_told_ = false;
  bool complete_ = false;
  bool failed_ = false;
  bool keep_alive_ = false;
  bool framed_ = true;
  bool in_trailers_ = false;  // of a chunked message
  // Of a message whose head was recalled, so that llhttp knows nothing of it.
  bool is_repeat_ = false;
  std::uint64_t body_left_ = 0;
};

class RequestParser final : public MessageParser {
 public:
  explicit RequestParser(ParserLimits limits) : MessageParser(HTTP_REQUEST, limits) {}

  // Begins the next message. A head of much memory is let go of here, and so is all else that a
  // message made large: an idle connection keeps nothing of it.
  void start();
  // From kHead on, until start(). Let go of it on the parser's thread: the next request may use its
  // memory, or find that it has the same head.
  [[nodiscard]] const std::shared_ptr<ReceivedHead>& received() const { return received_; }
  // Whether the client waits for 100 Continue, or expects what nobody can give.
  enum class Expectation { kNone, kContinue, kUnknown };
  [[nodiscard]] static Expectation expectation(const RequestHead& head);
  // Of received().
  [[nodiscard]] Expectation expectation() const { return expectation_; }

 private:
  std::optional<ParseError> finish_head() override;
  std::optional<HeadRepeat::Match> recall(std::string_view input) override;
  void remember(std::string_view head) override;

  std::shared_ptr<ReceivedHead> received_;
  HeadRepeat repeat_;  // of received_
  Expectation expectation_ = Expectation::kNone;
  std::uint64_t length_in_head_ = 0;  // what Content-Length says there, once it was recalled
};

class ResponseParser final : public MessageParser {
 public:
  explicit ResponseParser(ParserLimits limits) : MessageParser(HTTP_RESPONSE, limits) {}

  // An answer to HEAD has no body, whatever its head says.
  struct Start {
    bool to_head_request = false;
  };
  void start(Start start) {
    skip_body_ = start.to_head_request;
    restart();
  }
  [[nodiscard]] ResponseHead take_head() { return std::move(head_); }

 private:
  std::optional<ParseError> finish_head() override;
  ResponseHead head_;
};

}  // namespace llm_edge_cache::http
