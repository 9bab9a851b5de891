#include "http/message_parser.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::http {
namespace {

// What a connection may keep of a head from one request to the next, and of each buffer beside it.
constexpr std::size_t kMaxSpareBytes = 8 * 1024;

template <class Buffer>
std::size_t memory_of(const Buffer& buffer) {
  return buffer.capacity() * sizeof(typename Buffer::value_type);
}

// Keeps the memory where it is little.
template <class Buffer>
void empty(Buffer& buffer) {
  if (memory_of(buffer) > kMaxSpareBytes) {
    Buffer().swap(buffer);
  } else {
    buffer.clear();
  }
}

// What a peer did wrong by llhttp.
ParseError error_of(llhttp_errno_t error) {
  switch (error) {
    case HPE_INVALID_VERSION:
      return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    case HPE_INVALID_METHOD:
      return {400, "the method is not known here"};
    case HPE_INVALID_URL:
      return {400, "the target is malformed"};
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return {400, "Content-Length is malformed"};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {400, "Transfer-Encoding is malformed"};
    case HPE_INVALID_CHUNK_SIZE:
      return {400, "a chunk size is malformed"};
    case HPE_INVALID_HEADER_TOKEN:
      return {400, "a field has a forbidden character"};
    default:
      return {400, "the message is malformed"};
  }
}

}  // namespace

// llhttp's C call-backs, each to the member that does the work.
struct MessageParser::Callbacks {
  static MessageParser& self(llhttp_t* llhttp) {
    return *static_cast<MessageParser*>(llhttp->data);
  }

  static int on_url(llhttp_t* llhttp, const char* at, std::size_t size) {
    return self(llhttp).add_target({at, size});
  }
  static int on_header_field(llhttp_t* llhttp, const char* at, std::size_t size) {
    return self(llhttp).add_name({at, size});
  }
  static int on_header_value(llhttp_t* llhttp, const char* at, std::size_t size) {
    return self(llhttp).add_value({at, size});
  }
  static int on_header_value_complete(llhttp_t* llhttp) { return self(llhttp).end_field(); }
  static int on_headers_complete(llhttp_t* llhttp) { return self(llhttp).on_headers_complete(); }
  static int on_body(llhttp_t* llhttp, const char* at, std::size_t size) {
    // An open span is reported at the end of every input, even of an empty one.
    if (size > 0) self(llhttp).body_.emplace_back(at, size);
    return 0;
  }
  static int on_chunk_extension(llhttp_t* llhttp, const char*, std::size_t size) {
    return self(llhttp).count_extra(size);
  }
  // After the size line of the last chunk, only trailers are to come.
  static int on_chunk_header(llhttp_t* llhttp) {
    return llhttp->content_length == 0 ? self(llhttp).begin_trailers() : 0;
  }
  static int on_message_complete(llhttp_t* llhttp) {
    self(llhttp).complete_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t instance = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_url = on_url;
      made.on_header_field = on_header_field;
      made.on_header_value = on_header_value;
      made.on_header_value_complete = on_header_value_complete;
      made.on_headers_complete = on_headers_complete;
      made.on_body = on_body;
      made.on_chunk_extension_name = on_chunk_extension;
      made.on_chunk_extension_value = on_chunk_extension;
      made.on_chunk_header = on_chunk_header;
      made.on_message_complete = on_message_complete;
      return made;
    }();
    return &instance;
  }
};

MessageParser::MessageParser(llhttp_type_t type, ParserLimits limits)
    : type_(type), limits_(limits) {
  restart();
}

void MessageParser::restart() {
  if (!is_repeat_) forget_head();
  empty(body_);
  head_bytes_ = extra_bytes_ = 0;
  content_length_.reset();
  head_done_ = head_told_ = complete_ = failed_ = keep_alive_ = is_repeat_ = false;
  in_trailers_ = false;
  framed_ = true;
}

// A repeated head leaves all this as it was.
void MessageParser::forget_head() {
  llhttp_init(&llhttp_, type_, Callbacks::settings());
  llhttp_.data = this;
  scanner_.start();
  headers_.clear();
  empty(target_);
  empty(name_);
  empty(value_);
}

std::size_t MessageParser::memory_bytes() const {
  return headers_.memory_bytes() + memory_of(target_) + memory_of(body_) + memory_of(name_) +
         memory_of(value_);
}

ParseStep MessageParser::next(std::string_view input) {
  body_.clear();
  if (failed_) return {ParseEvent::kError, 0};
  if (complete_) return {ParseEvent::kEnd, 0};
  if (is_repeat_) return next_of_repeat(input);
  if (!began()) {
    if (input.empty()) return {ParseEvent::kNeedMore, 0};
    if (const auto known = recall(input)) return begin_repeat(*known);
  }
  if (input.data() == nullptr) input = "";  // llhttp does arithmetic on it
  if (llhttp_get_errno(&llhttp_) == HPE_PAUSED) llhttp_resume(&llhttp_);

  std::size_t consumed = in_trailers_ ? 0 : execute(input);
  if (in_trailers_ && !failed_) consumed += execute_trailers(input.substr(consumed));
  if (failed_) return {ParseEvent::kError, 0};
  if (!head_told_) return tell_head(input.substr(0, consumed));
  if (complete_) return {ParseEvent::kEnd, consumed};
  return {body_.empty() ? ParseEvent::kNeedMore : ParseEvent::kBody, consumed};
}

// Up to where llhttp pauses. Returns how much it took, which means nothing where it fails.
std::size_t MessageParser::execute(std::string_view input) {
  const llhttp_errno_t result = llhttp_execute(&llhttp_, input.data(), input.size());
  if (failed_ || result == HPE_OK) return input.size();
  if (result != HPE_PAUSED) {
    const ParseError error = error_of(result);
    fail(error.status, error.detail);
    return 0;
  }
  return static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - input.data());
}

int MessageParser::begin_trailers() {
  in_trailers_ = true;
  scanner_.start();
  return HPE_PAUSED;
}

// llhttp takes a bare LF for their end.
std::size_t MessageParser::execute_trailers(std::string_view input) {
  if (llhttp_get_errno(&llhttp_) == HPE_PAUSED) llhttp_resume(&llhttp_);
  const std::size_t consumed = execute(input);
  if (!failed_ && !scanner_.scan(input.substr(0, consumed))) {
    fail(400, "the trailers have a bare CR or LF, a NUL, or a folded field");
  }
  return consumed;
}

ParseStep MessageParser::tell_head(std::string_view head_part) {
  const bool is_whole = !began();
  if (!take_head_bytes(head_part)) return {ParseEvent::kError, 0};
  if (!head_done_) return {ParseEvent::kNeedMore, head_part.size()};
  head_told_ = true;
  if (is_whole) remember(head_part);
  return {ParseEvent::kHead, head_part.size()};
}

ParseStep MessageParser::begin_repeat(const HeadRepeat::Match& known) {
  is_repeat_ = head_done_ = head_told_ = true;
  keep_alive_ = true;  // what ends a connection is not remembered
  head_bytes_ = known.head_bytes;
  content_length_ = body_left_ = known.content_length;
  complete_ = body_left_ == 0;
  return {ParseEvent::kHead, known.head_bytes};
}

ParseStep MessageParser::next_of_repeat(std::string_view input) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), body_left_));
  if (taken == 0) return {ParseEvent::kNeedMore, 0};
  body_.push_back(input.substr(0, taken));
  body_left_ -= taken;
  complete_ = body_left_ == 0;
  return {complete_ ? ParseEvent::kEnd : ParseEvent::kBody, taken};
}

ParseStep MessageParser::end_of_input() {
  body_.clear();
  if (failed_) return {ParseEvent::kError, 0};
  if (llhttp_get_errno(&llhttp_) == HPE_PAUSED) llhttp_resume(&llhttp_);
  if (!complete_ && head_told_ && !framed_) static_cast<void>(llhttp_finish(&llhttp_));
  if (complete_) return {ParseEvent::kEnd, 0};
  fail(400, "the connection closed within a message");
  return {ParseEvent::kError, 0};
}

Version MessageParser::version() const {
  return llhttp_.http_minor == 0 ? Version::kHttp10 : Version::kHttp11;
}

bool MessageParser::take_head_bytes(std::string_view bytes) {
  head_bytes_ += bytes.size();
  if (head_bytes_ > limits_.max_header_bytes) {
    fail(431, "the head is over " + std::to_string(limits_.max_header_bytes) + " bytes");
  } else if (!scanner_.scan(bytes)) {
    fail(400, "the head has a bare CR or LF, a NUL, or a folded field");
  }
  return !failed_;
}

int MessageParser::on_headers_complete() {
  llhttp_.upgrade = 0;  // an upgrade is an offer, and we never take it
  // llhttp would read a body after a 304 that has a Content-Length.
  const bool skip_body =
      skip_body_ || (type_ == HTTP_RESPONSE && status_has_no_body(llhttp_.status_code));
  if (skip_body) llhttp_.flags |= F_SKIPBODY;
  if (llhttp_.http_major != 1) return fail(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");

  head_done_ = true;
  keep_alive_ = llhttp_should_keep_alive(&llhttp_) != 0;
  framed_ = llhttp_message_needs_eof(&llhttp_) == 0;
  if ((llhttp_.flags & F_CONTENT_LENGTH) != 0) content_length_ = llhttp_.content_length;
  if (std::optional<ParseError> error = finish_head()) {
    return fail(error->status, error->detail);
  }
  // llhttp trims the last coding less than we do: it would find none, and read on to the close.
  if ((llhttp_.flags & F_TRANSFER_ENCODING) != 0 && (llhttp_.flags & F_CHUNKED) == 0) {
    return fail(400, "the Transfer-Encoding can be read in two ways");
  }
  if (skip_body) return 0;
  const bool has_body =
      !framed_ || (llhttp_.flags & F_CHUNKED) != 0 || content_length_.value_or(0) > 0;
  return has_body ? HPE_PAUSED : 0;  // without a body the message ends here and pauses there
}

int MessageParser::add_target(std::string_view bytes) {
  if (target_.size() + bytes.size() > limits_.max_target_bytes) {
    return fail(414, "the target is over " + std::to_string(limits_.max_target_bytes) + " bytes");
  }
  target_.append(bytes);
  return 0;
}

int MessageParser::add_name(std::string_view bytes) {
  if (head_done_) return count_extra(bytes.size());
  name_.append(bytes);
  if (name_.size() > limits_.max_header_bytes) return fail(431, "a field name is too long");
  return 0;
}

int MessageParser::add_value(std::string_view bytes) {
  if (head_done_) return count_extra(bytes.size());
  value_.append(bytes);
  if (value_.size() > limits_.max_header_bytes) return fail(431, "a field value is too long");
  return 0;
}

int MessageParser::end_field() {
  if (head_done_) return count_extra(1);
  if (name_.empty()) return fail(400, "a field has no name");
  if (headers_.size() == limits_.max_header_fields) {
    return fail(431,
                "there are more than " + std::to_string(limits_.max_header_fields) + " fields");
  }
  const std::size_t last = value_.find_last_not_of(" \t");
  value_.resize(last == std::string::npos ? 0 : last + 1);
  headers_.add(name_, value_);
  name_.clear();
  value_.clear();
  return 0;
}

int MessageParser::count_extra(std::size_t bytes) {
  extra_bytes_ += bytes;
  if (extra_bytes_ <= limits_.max_header_bytes) return 0;
  return fail(431, "trailers and chunk extensions are over " +
                       std::to_string(limits_.max_header_bytes) + " bytes");
}

int MessageParser::fail(std::uint16_t status, std::string_view detail) {
  failed_ = true;
  error_ = ParseError{status, std::string(detail)};
  return HPE_USER;
}

RequestParser::Expectation RequestParser::expectation(const RequestHead& head) {
  const auto value = head.headers.get("expect");
  if (!value || head.version == Version::kHttp10) return Expectation::kNone;
  return equals_ignore_case(*value, "100-continue") ? Expectation::kContinue
                                                    : Expectation::kUnknown;
}

void RequestParser::start() {
  if (received_ != nullptr && received_->head.headers.memory_bytes() > kMaxSpareBytes) {
    received_.reset();
  }
  restart();
}

std::optional<ParseError> RequestParser::finish_head() {
  repeat_.forget();
  const bool is_spare = received_ != nullptr && received_.use_count() == 1;
  if (!is_spare) received_ = std::make_shared<ReceivedHead>();
  received_->note.reset();
  RequestHead& head = received_->head;
  head.method = llhttp_method_name(static_cast<llhttp_method_t>(state().method));
  head.target = target_;
  head.version = version();
  std::swap(head.headers, headers_);
  headers_.clear();
  expectation_ = expectation(head);
  return check_request_head(head);
}

void RequestParser::remember(std::string_view head) {
  if (!content_length() || !keep_alive()) return;
  repeat_.remember(head);
  length_in_head_ = *content_length();
}

std::optional<HeadRepeat::Match> RequestParser::recall(std::string_view input) {
  // Whoever still works on the request before must not see its head change.
  if (received_ == nullptr || received_.use_count() > 1) return std::nullopt;
  const auto known = repeat_.match(input);
  if (known && known->content_length != length_in_head_) {
    received_->head.headers.overwrite("content-length", known->length_digits);
    length_in_head_ = known->content_length;
  }
  return known;
}

std::optional<ParseError> ResponseParser::finish_head() {
  head_.status = state().status_code;
  head_.version = version();
  head_.headers = std::exchange(headers_, Headers());
  return check_response_head(head_);
}

}  // namespace llm_edge_cache::http
